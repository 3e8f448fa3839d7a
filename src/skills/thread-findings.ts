import { sayBytes, sayShare } from '../base/say.js';
import { isFile } from '../base/script-url.js';
import type { Hang } from '../model/evidence/hang.js';
import { isUsable } from '../model/evidence/index.js';
import type { WorkerVitals } from '../model/evidence/workers.js';
import type { FaultClass } from '../model/fault.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { explain } from './cause.js';
import { cpu } from './cpu.js';
import { lookOnce } from './event-loop.js';
import { heap } from './heap.js';
import { inThread, nameOf } from './in-thread.js';
import { countCalls, LOOP_WINDOW, study } from './study.js';
import { textOf } from './waiting-place.js';

/** A thread of a pool that keeps up is idle half of the time or more; a busier one may have work waiting. */
const BUSY_ELU = 0.5;
/** The floor of a sawtooth, first against last readings: less is worth a walk only when somebody asks for memory. */
const GROWTH_BYTES = 200_000;
const FLOOR_OF = 3;
/** A job that lasts longer than this keeps its messages waiting. */
const TURN_SECONDS = 3;
const HANG_STAYS_MS = 20_000;
const SPARED = ['vitals', 'cpu-profile', 'call-counts'] as const;

/** Long work is what worker threads are for: it is no fault as long as the thread comes back to its messages. */
const ITS_JOB: ReadonlySet<FaultClass> = new Set<FaultClass>([
  'loop.block.compute',
  'loop.block.serialization',
  'loop.block.sync-api',
  'loop.hung',
  'loop.starvation',
]);

export interface ThreadFindings {
  readonly drafts: readonly NotificationDraft[];
  /** What was seen and is fine, for the conclusion; empty when there was nothing to look at. */
  readonly sentence: string;
}

/** Looks into the busiest thread and into the one whose heap grows, with the playbooks of the main thread. */
export async function* lookIntoThreads(
  see: OperatorView,
  threads: readonly WorkerVitals[],
  readingId: string,
): Step<ThreadFindings> {
  const drafts: NotificationDraft[] = [];
  const sentences: string[] = [];
  let stuck: WorkerVitals | undefined;
  const busiest = top(threads, ({ windowElu = 0 }) => windowElu);
  if (busiest && (busiest.windowElu ?? 0) >= BUSY_ELU) {
    const busy = yield* lookIntoBusy(see, busiest);
    drafts.push(...busy.drafts);
    sentences.push(busy.sentence);
    if (busy.stuck) stuck = busiest;
  }
  const others = threads.filter(thread => thread !== stuck);
  const growing = top(others, floorGrowth);
  if (growing && (floorGrowth(growing) >= GROWTH_BYTES || wasCollected(growing) || asksForMemory(see))) {
    const leaks = yield* lookIntoGrowing(see, growing);
    drafts.push(...leaks.drafts);
    sentences.push(leaks.sentence);
  }
  const cited = drafts.map(draft => ({ ...draft, evidenceIds: [...(draft.evidenceIds ?? []), readingId] }));
  return { drafts: cited, sentence: sentences.filter(sentence => sentence !== '').join(' ') };
}

function top(threads: readonly WorkerVitals[], of: (thread: WorkerVitals) => number): WorkerVitals | undefined {
  return [...threads].sort((a, b) => of(b) - of(a))[0];
}

const asksForMemory = ({ reason }: OperatorView): boolean =>
  heap.words.some(word => new RegExp(`\\b${word}\\b`, 'i').test(reason));

/** How much higher the lowest of the last readings is than the lowest of the first. */
function floorGrowth({ heapUsed }: WorkerVitals): number {
  if (heapUsed.length < 2 * FLOOR_OF) return 0;
  return Math.min(...heapUsed.slice(-FLOOR_OF)) - Math.min(...heapUsed.slice(0, FLOOR_OF));
}

/** A collection within the window hides what the heap gained meanwhile. */
const wasCollected = ({ heapUsed }: WorkerVitals): boolean =>
  heapUsed.some((bytes, i) => (heapUsed[i - 1] ?? 0) - bytes >= GROWTH_BYTES);

async function* lookIntoBusy(see: OperatorView, thread: WorkerVitals): Step<ThreadFindings & { stuck: boolean }> {
  const kept: NotificationDraft[] = [];
  const keep = (draft: NotificationDraft): undefined => void kept.push(draft);
  const inside = inThread(see, thread, keep);
  const hang = yield* inside.ask('hang', { seconds: TURN_SECONDS }, HANG_STAYS_MS);
  const stuck = isUsable(hang) && hang.data.kind !== 'turns' && hang.data.kind !== 'immediates';
  // A thread that stands still is left alone as far as possible: its stack says all, and Node 18 has crashed (SIGSEGV)
  // when profiles were taken again and again within a regular expression.
  if (stuck && !standsInRegExp(hang.data) && (yield* worksOff(inside)))
    return { drafts: [], sentence: `${busyAt(thread)}, with one job after the other.`, stuck };
  const loop = stuck ? inThread(see, thread, keep, SPARED) : inside;
  yield* lookOnce(loop, yield* loop.ask('vitals', LOOP_WINDOW));
  if (kept.length === 0 && !stuck) yield* cpu.playbook(inside);
  const mayStay = stuck && (yield* takesMessagesItself(inside, hang.data));
  const drafts = kept.map(draft => placed(mayStay ? caughtAtWork(draft) : asJob(draft, stuck), thread));
  const sentence = drafts.length > 0 ? '' : yield* busySentence(inside, thread, stuck);
  return { drafts, sentence, stuck };
}

const standsInRegExp = ({ locals }: Hang): boolean => locals.some(local => local.description.startsWith('RegExp'));

const MOST_FILES = 4;
/** Compilers write the call of an import as `(0, threads.receiveMessageOnPort)(port)`. */
const TAKES_MESSAGES = /\breceiveMessageOnPort\)?\(/;

/** A thread whose code reads its port by itself (as pools' threads do) need not come back to its loop for messages. */
async function* takesMessagesItself(inside: OperatorView, { stack }: Hang): Step<boolean> {
  const urls = [...new Set(stack.map(({ url }) => url))].filter(isFile);
  for (const url of urls.slice(0, MOST_FILES)) {
    const script = yield* textOf(inside, url);
    if (script && TAKES_MESSAGES.test(script.text)) return true;
  }
  return false;
}

const SAME_SHARE = 0.8;
/** Shorter calls may be turns of a loop that only spins. */
const JOB_MS = 1;

/**
 * A pool's thread may take its next message without ever coming back to its loop (Atomics.wait, receiveMessageOnPort):
 * it works as long as what it runs returns and is called again.
 */
async function* worksOff(inside: OperatorView): Step<boolean> {
  const studied = yield* study(inside);
  if (typeof studied === 'string') return false;
  const cause = yield* explain(inside, studied.tree, studied.work);
  if (cause?.mechanism === 'regexp') return false;
  const counted = cause && (yield* countCalls(inside, studied, cause));
  return (counted?.lengths ?? []).some(({ frame, msPerCall = 0, count: { compared = 0, repeated = 0 } }) => {
    // A loop that doesn't end may call the same again and again; a job brings something new.
    const isNew = frame.kind === 'package' ? compared === 0 || repeated < compared : repeated < compared * SAME_SHARE;
    return msPerCall >= JOB_MS && isNew;
  });
}

/** Work that ends is what the thread is for; work that never lets it see its messages is told. */
function asJob(draft: NotificationDraft, stuck: boolean): NotificationDraft {
  if (!ITS_JOB.has(draft.faultClass)) return stuck ? { ...draft, severity: 'warning' } : draft;
  if (!stuck) return { ...draft, severity: 'info', hypothesis: 'It may be the work the thread is for.' };
  return {
    ...draft,
    severity: 'warning',
    hypothesis: 'The thread never came back to its loop while it was watched: messages that are sent to it wait.',
    confidence: 'medium',
  };
}

const HANGS_IN = 'The event loop hangs in ';

/** A thread that takes its messages itself doesn't hang because its loop never turns: it was caught at what it does. */
function caughtAtWork(draft: NotificationDraft): NotificationDraft {
  if (ITS_JOB.has(draft.faultClass) || !draft.title?.startsWith(HANGS_IN)) return asJob(draft, false);
  return {
    ...draft,
    severity: 'warning',
    title: draft.title.replace(HANGS_IN, 'It is busy in '),
    observation: `${draft.observation} It takes its messages without turning its loop, so jobs do go on; each of them waits for this one.`,
  };
}

function placed(draft: NotificationDraft, thread: WorkerVitals): NotificationDraft {
  const name = `worker thread ${nameOf(thread)}`;
  const { culprit, title, observation } = draft;
  return {
    ...draft,
    observation: ofThread(observation),
    ...(title === undefined ? {} : { title: `In ${name}: ${ofThread(title)}` }),
    ...(culprit && { culprit: { ...culprit, via: [name, ...(culprit.via ?? [])] } }),
  };
}

/** The playbooks were written for the main thread. */
const ofThread = (text: string): string => text.replaceAll('he main thread', 'he thread');

const busyAt = (thread: WorkerVitals): string =>
  `Worker thread ${nameOf(thread)} is busy ${sayShare(thread.windowElu ?? 0)} of the time`;

/** Where a thread that is busy and well spends its time. */
async function* busySentence(inside: OperatorView, thread: WorkerVitals, stuck: boolean): Step<string> {
  const busy = busyAt(thread);
  if (stuck) return `${busy} and does not come back to its loop.`;
  const studied = yield* study(inside);
  if (typeof studied === 'string') return `${busy}.`;
  const cause = yield* explain(inside, studied.tree, studied.work);
  if (!cause) return `${busy}.`;
  const { function: name, file, line } = cause.place;
  return `${busy}, mostly in ${name === undefined ? '' : `${name} `}(${file}:${line}), in pieces short enough.`;
}

async function* lookIntoGrowing(see: OperatorView, thread: WorkerVitals): Step<ThreadFindings> {
  const kept: NotificationDraft[] = [];
  const concluded = yield* heap.playbook(inThread(see, thread, draft => void kept.push(draft)));
  const grew = `The heap of worker thread ${nameOf(thread)} grew by ${sayBytes(floorGrowth(thread))} in ${thread.heapUsed.length - 1} s.`;
  const sentence = kept.length > 0 ? '' : `${grew} ${concluded.summary}`;
  return { drafts: kept.map(draft => placed(draft, thread)), sentence };
}
