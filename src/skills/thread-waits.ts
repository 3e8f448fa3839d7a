import { sayMs } from '../base/say.js';
import type { OutgoingInFlight } from '../model/evidence/in-flight.js';
import { isUsable } from '../model/evidence/index.js';
import type { WorkerVitals } from '../model/evidence/workers.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { inThread, THREADS_WINDOW } from './in-thread.js';
import { whoAsks } from './unanswered-calls.js';

/** What the threads of a pool wait for, all of whose places are taken. */
export interface ThreadWait {
  readonly call: OutgoingInFlight;
  readonly threads: number;
  readonly of: number;
  readonly culprit: CodeLocation | undefined;
  readonly evidenceIds: readonly string[];
}

const ANEW = 0;
const WORKERS_STAY_MS = 45_000;
/** Each costs a session and two scans. */
const MOST_THREADS = 6;
/** A thread that computes waits for nobody. */
const QUIET_ELU = 0.5;
/** A call that is open in both scans waits longer than most calls last. */
const BETWEEN_SCANS_MS = 1000;
/** So many of the quiet threads must wait for one and the same. */
const SHARE = 0.5;

/** The call that most threads wait for; undefined when they compute, or wait for different things. */
export async function* waitOfThreads(see: OperatorView): Step<ThreadWait | undefined> {
  const workers = yield* see.ask('workers', THREADS_WINDOW, WORKERS_STAY_MS);
  if (!isUsable(workers)) return undefined;
  const quiet = workers.data.workers.filter(({ windowElu = 1 }) => windowElu < QUIET_ELU).slice(0, MOST_THREADS);
  const evidenceIds = [workers.id];
  yield* openCalls(see, quiet, evidenceIds);
  yield* see.wait(BETWEEN_SCANS_MS);
  const held = (yield* openCalls(see, quiet, evidenceIds)).filter(({ heldCount = 0 }) => heldCount > 0);
  const alike = (call: OutgoingInFlight): number => held.filter(other => targetOf(other) === targetOf(call)).length;
  const [call] = [...held].sort((a, b) => alike(b) - alike(a));
  if (!call || alike(call) < SHARE * quiet.length) return undefined;
  return { call, threads: alike(call), of: quiet.length, culprit: yield* whoAsks(see, call), evidenceIds };
}

const targetOf = ({ method, host, path }: OutgoingInFlight): string => `${method} ${host}${path}`;

async function* openCalls(
  see: OperatorView,
  threads: readonly WorkerVitals[],
  evidenceIds: string[],
): Step<OutgoingInFlight[]> {
  const open: OutgoingInFlight[] = [];
  for (const thread of threads) {
    const scan = yield* inThread(see, thread, () => undefined).ask('in-flight', {}, ANEW);
    if (!isUsable(scan)) continue;
    evidenceIds.push(scan.id);
    const [oldest] = scan.data.outgoing
      .filter(({ state }) => state === 'no-answer')
      .sort((a, b) => (b.heldMs ?? 0) - (a.heldMs ?? 0));
    if (oldest) open.push(oldest);
  }
  return open;
}

/** A full pool of threads as the consequence that it is of what they wait for. */
export function asThreadWait(draft: NotificationDraft, wait: ThreadWait): NotificationDraft {
  const { call, threads, of, culprit, evidenceIds } = wait;
  const target = targetOf(call);
  const name = culprit ? `\`${culprit.function || culprit.file}\`` : 'What they run';
  return {
    ...draft,
    ...(culprit ? { faultClass: 'downstream.slow', anomalyType: 'downstream.slow', culprit } : {}),
    ...(culprit && draft.culprit ? { related: [draft.culprit, ...(draft.related ?? [])] } : {}),
    title: `${name} waits in worker threads for answers of ${call.host}, and the pool of threads is full of it`,
    observation: `${draft.observation} ${threads} of ${of} threads wait for ${target}, ${sayMs(call.heldMs ?? 0)} and longer.`,
    hypothesis: 'The peer is slow or does not answer; each call keeps a thread, and all other work waits for one.',
    fix: 'Give the call a time limit (timeout, AbortSignal.timeout), and a task one too, so that its thread is free again.',
    metrics: [
      ...draft.metrics,
      { name: 'threads that wait for it', value: threads, unit: 'threads' },
      { name: 'threads that do not compute', value: of, unit: 'threads' },
      { name: 'open in a thread for', value: call.heldMs ?? 0, unit: 'ms' },
    ],
    evidenceIds: [...(draft.evidenceIds ?? []), ...evidenceIds],
  };
}
