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
  sick('fares', culprit(['downstream.slow'])),
  sick('intake', culprit(['handles.leak.fd']), { quick: true }),
  sick('consoles', culprit(['memory.leak.timer', 'handles.leak.timer'])),
  sick('mailings', culprit(['cpu.hot'], { package: 'handlebars' }), { reason: 'high cpu' }),
  sick('digests', culprit(['threadpool.saturation'])),
  sick('imaging', culprit(['handles.leak.worker'])),
  sick('inventory', culprit(['pool.exhaustion'], { package: 'pg-pool' }), { quick: true, reason: 'timeouts' }),
  sick('pricing', culprit(['code.growth', 'memory.leak.collection'])),
  sick('surveys', culprit(['code.growth', 'memory.leak.collection']), { reason: 'out of memory after a day' }),
  sick('offers', culprit(['cpu.hot'], { package: 'ajv' })),
  sick('intakeforms', culprit(['memory.leak.collection', 'code.growth'], { package: 'ajv' })),
  sick('routesplan', culprit(['memory.leak.collection'], { package: 'lodash' })),
  sick('library', culprit(['memory.leak.collection'], { package: 'dataloader' })),
  sick('feeds', culprit(['pool.exhaustion']), { reason: 'digests never come' }),
  sick('scores', culprit(['backpressure'], { package: 'ws' })),
  sick('dispatch', culprit(['memory.leak.promise'])),
  sick('formulas', culprit(['memory.leak.context', 'memory.leak.collection'])),
  sick('audit', culprit(['memory.leak.context', 'memory.leak.collection', 'memory.leak.closure'])),
  sick('camera', culprit(['memory.external', 'memory.leak.collection'])),
  sick('sweeper', culprit(['cpu.busy-loop', 'loop.starvation'])),
  sick('ledger', culprit(['loop.starvation', 'loop.block.compute', 'cpu.busy-loop'])),
  sick('scheduler', culprit(['loop.hung']), { reason: 'no answer at all' }),
  sick('registry', culprit(['loop.block.regexp', 'loop.block.compute'], { package: 'semver' })),
  sick('badges', culprit(['loop.block.sync-api'])),
  sick('leagues', culprit(['loop.block.compute', 'cpu.hot']), { reason: 'slow table' }),
  sick('turnstile', culprit(['logs.flood', 'cpu.logging'])),
  sick('vouchers', culprit(['exceptions.swallowed', 'waiting.unsettled']), { reason: 'some requests hang' }),
  sick('scanner', culprit(['cpu.exceptions', 'exceptions.storm'])),
  sick('newsletter', culprit(['rejections.unhandled'])),
  sick('transcripts', culprit(['queue.backlog'], { package: 'p-queue' })),
  sick('printshop', culprit(['pool.exhaustion'], { package: 'generic-pool' })),
  sick('convert', culprit(['handles.leak.child'])),
  sick('pages', culprit(['handles.leak.watcher', 'handles.leak.fd'])),
  sick('relay', culprit(['handles.leak.socket', 'handles.leak.fd'])),
  sick('shipping', culprit(['downstream.retries'])),
  sick('approvals', culprit(['waiting.unsettled'])),
  sick('archive', culprit(['memory.near-limit'], { anywhere: true }), { reason: 'OOM kills' }),
  sick('forecasts', culprit(['gc.pressure']), { reason: 'high cpu' }),
  sick('searchhub', culprit(['memory.leak.listener'])),
  sick('uploads', culprit(['memory.leak.listener'])),
  sick(
    'sensors',
    culprit(['memory.leak.collection', 'memory.leak.listener', 'memory.leak.closure'], { package: 'rxjs' }),
  ),
  sick('greeter', culprit(['memory.leak.closure', 'memory.leak.collection'])),
  sick('tickets', culprit(['logs.errors', 'exceptions.storm'])),
  sick('clinic', [culprit(['memory.leak.collection']), { mark: 'second', classes: ['loop.block.sync-api'] }]),
  sick('courier', [culprit(['handles.leak.fd']), { mark: 'second', classes: ['downstream.chatty'] }]),
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
