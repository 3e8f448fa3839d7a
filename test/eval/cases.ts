import type { FaultClass } from '../../src/model/fault.js';
import type { Case, Truth } from './case.js';

type Options = Omit<Case, 'app' | 'truths'>;

const culprit = (classes: readonly FaultClass[], more: Partial<Truth> = {}): Truth => ({
  mark: 'culprit',
  classes,
  ...more,
});
const sick = (app: string, truth: Truth | readonly Truth[], options: Options = {}): Case => ({
  app,
  truths: Array.isArray(truth) ? truth : [truth as Truth], // Array.isArray doesn't narrow readonly arrays
  ...options,
});
const healthy = (app: string, options: Options = {}): Case => ({ app, truths: [], ...options });

/** Sick programs. The first class is the best word; others that a careful engineer would accept follow. */
const SICK: readonly Case[] = [
  sick('demo', culprit(['memory.leak.collection']), { quick: true }),
  sick('parcels', culprit(['memory.leak.listener']), { reason: 'memory keeps rising' }),
  sick('accounts', culprit(['loop.block.regexp']), { quick: true }),
  sick('statements', culprit(['loop.block.serialization'])),
  sick('logins', culprit(['loop.block.sync-api']), { reason: 'slow answers' }),
  sick('seats', culprit(['waiting.lock'], { package: 'async-mutex' }), { quick: true, reason: 'requests hang' }),
  sick('storefront', culprit(['downstream.chatty']), { reason: 'lists are slow' }),
  sick('fares', culprit(['downstream.slow']), { innocentPackages: ['axios'] }),
  sick('intake', culprit(['handles.leak.fd']), { quick: true }),
  sick('consoles', culprit(['memory.leak.timer', 'handles.leak.timer'])),
  sick('mailings', culprit(['cpu.hot'], { package: 'handlebars' }), { reason: 'high cpu' }),
  sick('digests', culprit(['threadpool.saturation'])),
  sick('imaging', culprit(['handles.leak.worker'])),
  sick('inventory', culprit(['pool.exhaustion'], { package: 'pg-pool' }), { quick: true, reason: 'timeouts' }),
];

/** Healthy programs: any warning is a false alarm. */
const HEALTHY: readonly Case[] = [
  healthy('gazette', { quick: true, reason: 'high cpu' }),
  healthy('lottery'),
  healthy('atlas', { reason: 'high memory' }),
  healthy('weather', { quick: true }),
  healthy('artwork', { reason: 'memory leak?' }),
  healthy('presence'),
  healthy('markets'),
  healthy('directory'),
  healthy('telemetry'),
  healthy('contours'),
  healthy('reminders'),
  healthy('bookings', { quick: true, reason: 'slow' }),
  healthy('doorman'),
  healthy('gateway'),
];

export const CASES: readonly Case[] = [...SICK, ...HEALTHY];
