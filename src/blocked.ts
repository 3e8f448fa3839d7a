import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { sayMs } from './base/say.js';
import { correlate } from './coordinator/correlate.js';
import type { TargetBlockedError } from './inspector/native-block.js';
import type { Hang, NativeBlock } from './model/evidence/hang.js';
import type { Evidence } from './model/evidence/index.js';
import type { Notification } from './model/notification.js';
import type { TargetInfo } from './model/target.js';
import type { RunEnv } from './run.js';

/** Whose eyes these are in the report: the skill that owns standstill, looking from outside. */
const OPERATOR = 'event-loop';

/** The report of a main thread that sits in native code and answers nothing: what the kernel knows, as evidence. */
export function reportBlock({ block }: TargetBlockedError, pid: number, env: RunEnv): void {
  env.emit({ type: 'target.attached', target: fromOutside(pid), openedInspector: false, attachMs: block.observedMs });
  env.emit({ type: 'operator.started', operator: OPERATOR, urgent: true });
  const evidence = keepEvidence(block, env);
  const notification = describe(block, evidence.id, env);
  env.emit({ type: 'notification.raised', notification });
  env.emit({
    type: 'operator.finished',
    result: {
      skill: OPERATOR,
      state: 'critical',
      outcome: 'found',
      summary: notification.observation,
      iterations: 1,
      incomplete: false,
      durationMs: block.observedMs,
      notificationIds: [notification.id],
    },
  });
  for (const insight of correlate([notification], env.newId)) env.emit({ type: 'insight.produced', insight });
}

function keepEvidence(block: NativeBlock, env: RunEnv): Evidence<Hang> {
  const id = env.newId('hang');
  const data: Hang = { kind: 'native', loopTurnMs: block.observedMs, stack: [], locals: [], hot: [], native: block };
  const evidence: Evidence<Hang> = { id, kind: 'hang', takenAt: env.now(), pausedMs: 0, costMs: 0, status: 'ok', data };
  const kept = env.keep(evidence, {});
  env.emit({
    type: 'evidence.collected',
    id,
    kind: 'hang',
    params: {},
    status: 'ok',
    pausedMs: 0,
    costMs: 0,
    tookMs: block.observedMs,
    ...kept,
  });
  return evidence;
}

function describe(block: NativeBlock, evidenceId: string, env: RunEnv): Notification {
  const child = block.children[0];
  return {
    id: env.newId('notification'),
    operator: OPERATOR,
    anomalyType: 'native-block',
    faultClass: 'loop.hung',
    severity: 'critical',
    title: `The process answers nothing: its main thread is ${block.summary}.`,
    context: `Seen from outside for ${sayMs(block.observedMs)}; no inspector opens while native code runs.`,
    observation: `The main thread is ${block.summary}, state ${block.state}, at ${block.cpuPercent} % of a core.`,
    hypothesis: child
      ? `A synchronous child_process call (execSync, spawnSync) waits for “${child.command}”.`
      : 'A synchronous call into native code does not return; JavaScript cannot be interrupted meanwhile.',
    fix: child
      ? 'Use the asynchronous spawn or execFile with a timeout instead of the Sync form.'
      : 'Use the asynchronous form of the call, or move it to a worker thread.',
    metrics: [{ name: 'main thread cpu', value: block.cpuPercent, unit: '%' }],
    snapshotIds: [],
    evidenceIds: [evidenceId],
    mechanism: true,
    confidence: 'high',
    detectedAt: env.now(),
    traceId: env.traceId,
  };
}

/** What /proc tells of a process that cannot be asked. */
function fromOutside(pid: number): TargetInfo {
  const argv = read(`/proc/${pid}/cmdline`).split('\0').filter(Boolean);
  const entry = argv.slice(1).find(arg => !arg.startsWith('-'));
  return {
    pid,
    nodeVersion: 'unknown',
    command: argv.join(' '),
    ...(entry === undefined ? {} : { entry, name: basename(entry) }),
    cwd: link(`/proc/${pid}/cwd`),
    platform: process.platform,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
