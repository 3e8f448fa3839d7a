import { lastUserAbove } from '../cpu/blame.js';
import type { Stall } from '../cpu/stalls.js';
import { isWork, weigh } from '../cpu/weights.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { ScriptPosition } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Cause, explain, hidesInlined } from './cause.js';
import { BLOCK_CLASS } from './fixes.js';
import {
  AGAIN,
  type CallLength,
  type Counted,
  countCalls,
  LONG_CALL_MS,
  LONG_STALL_MS,
  MEASURED_BESIDE,
  mainStalls,
  SHORT_CALL_MS,
  SHORT_STALL_MS,
  STALL_MS,
  type Study,
  stallGroups,
  study,
  weighStalls,
} from './study.js';

/** Less than this share of the window in long tasks is chance, unless a single one is long. */
const STALLED_SHARE = 0.03;
/** When collections take most of a stall, what to name is the allocation, which is the gc skill's. */
const GC_SHARE = 0.5;

/** A call that keeps the event loop from turning. */
export interface Block {
  /** The profile that shows it: a second one where V8 had hidden it in the first. */
  readonly studied: Study;
  /** The long tasks that are laid to it. */
  readonly stalled: readonly Stall[];
  readonly cause: Cause;
  readonly counted: Counted | undefined;
}

/** What must be seen before a call counts as a block, in milliseconds. */
interface Limits {
  readonly stallMs: number;
  readonly callMs: number;
}

const COMPUTING: Limits = { stallMs: STALL_MS, callMs: LONG_CALL_MS };
const AVOIDABLE: Limits = { stallMs: SHORT_STALL_MS, callMs: SHORT_CALL_MS };

/** A fifth of all time in synchronous calls is a fault even when each is short: they queue up behind each other. */
const HEAVY: Limits = { stallMs: STALL_MS, callMs: 4 };
const HEAVY_SHARE = 0.2;

/** A synchronous API of Node's has an asynchronous twin and a regular expression a linear one: nobody needs such a block. */
function limitsOf(cause: Cause, { tree }: Study, own: number): Limits {
  const avoidable =
    cause.mechanism !== 'native' && /^loop\.block\.(sync-api|regexp)$/.test(BLOCK_CLASS[cause.mechanism]);
  if (!avoidable) return COMPUTING;
  return cause.blame.ownedUs * own >= HEAVY_SHARE * tree.durationUs ? HEAVY : AVOIDABLE;
}

/** The call that blocks, or a sentence that says why there is none. */
export async function* findBlock(see: OperatorView, studied: Study, data: Vitals | undefined): Step<Block | string> {
  const delayMs = studied.evidence.data.maxLoopDelayMs ?? Number.POSITIVE_INFINITY;
  if (delayMs < SHORT_STALL_MS) return `Nothing held the loop for ${SHORT_STALL_MS} ms while it was profiled.`;
  const stalled = notableStalls(studied, delayMs);
  if (!isEnough(studied, stalled)) return 'No long task takes a notable share of the time.';
  const gcUs = stalled.reduce((sum, stall) => sum + stall.gcUs, 0);
  if (gcUs > GC_SHARE * totalUs(stalled)) return 'Most of the long tasks is garbage collection.';
  const first = yield* explain(see, studied.tree, weighStalls(studied.tree, stalled));
  if (!first) return 'Nothing ran in the long tasks.';
  if (isNodesOwn(first)) return 'Neither the application nor a package was on the stack in the long tasks.';
  // Calls are counted of whoever is blamed in the end: a router that swallowed its handler is called far more often.
  const looked = hidesInlined(first) ? yield* lookAgain(see, first) : undefined;
  const seen = looked ?? { studied, stalled, cause: first };
  const limits = limitsOf(seen.cause, seen.studied, ownShare(data));
  if (delayMs < limits.stallMs) return `Nothing held the loop for ${limits.stallMs} ms while it was profiled.`;
  const counted = yield* countCalls(see, seen.studied, seen.cause);
  const verdict = isLongCall(counted, seen.stalled, limits, delayMs);
  return verdict === true ? { ...seen, counted } : verdict;
}

/** The long stalls; where those are chance, the many shorter ones of one owner beside them. */
function notableStalls(studied: Study, delayMs: number): Stall[] {
  const long = mainStalls(studied, longOnes(studied));
  return delayMs >= STALL_MS && isEnough(studied, long) ? long : mainStalls(studied, studied.stalls);
}

/** Node's own work between two callbacks: nobody can be named for it. */
const isNodesOwn = ({ blame: { frame } }: Cause): boolean => frame.kind === 'node' || frame.kind === 'native';

/** Where the blamed function is defined, as V8 names it. */
function positionOf({ blame: { frame } }: Cause): ScriptPosition {
  const { scriptId, url, line, column } = frame;
  return { scriptId, url, line, column };
}

/** The cause of all work, from a second profile where the first hides what V8 had inlined. */
export async function* explainWork(
  see: OperatorView,
  studied: Study,
): Step<{ studied: Study; cause: Cause } | undefined> {
  const cause = yield* explain(see, studied.tree, studied.work);
  if (!cause || !hidesInlined(cause)) return cause && { studied, cause };
  const again = yield* study(see, { ...AGAIN, compileAnew: [positionOf(cause)] });
  if (typeof again === 'string') return { studied, cause };
  const found = yield* explain(see, again.tree, again.work);
  return found ? { studied: again, cause: found } : { studied, cause };
}

/** Where a package works after an await its time hides what the application itself calls: the cause of that alone. */
export async function* explainOwn(
  see: OperatorView,
  studied: Study,
): Step<{ studied: Study; cause: Cause } | undefined> {
  const { tree } = studied;
  const isOwn = (at: number) => {
    const node = tree.sampleNode[at] ?? 0;
    return isWork(tree, node) && lastUserAbove(tree, node) >= 0;
  };
  const cause = yield* explain(see, tree, weigh(tree, isOwn));
  return cause && { studied, cause };
}

/** Study, stalls and cause of a second profile, in which V8 can name what it inlines; undefined where that shows nothing. */
async function* lookAgain(see: OperatorView, cause: Cause): Step<Omit<Block, 'counted'> | undefined> {
  const again = yield* study(see, { ...AGAIN, compileAnew: [positionOf(cause)] });
  if (typeof again === 'string') return undefined;
  const stalled = mainStalls(again, longOnes(again));
  const found = stalled.length > 0 ? yield* explain(see, again.tree, weighStalls(again.tree, stalled)) : undefined;
  return found?.blame.frame.kind === 'user' ? { studied: again, stalled, cause: found } : undefined;
}

/** Stalls of 40 ms and more where there are any: the shorter ones beside them are the ordinary course of things. */
function longOnes({ stalls }: Study): readonly Stall[] {
  const long = stalls.filter(stall => stall.durationUs >= STALL_MS * 1000);
  return long.length > 0 ? long : stalls;
}

/** A second blocker takes at least this share of its stalls' time in one function. */
const SECOND_SHARE = 0.5;

/** Another call that blocks, in stalls of its own beside those of `first`; undefined when there is none. */
export async function* findSecondBlock(
  see: OperatorView,
  studied: Study,
  data: Vitals | undefined,
  first: Block,
): Step<Block | undefined> {
  for (const stalled of stallGroups(studied, longOnes(studied)).slice(0, MOST_GROUPS)) {
    const cause = isEnough(studied, stalled)
      ? yield* explain(see, studied.tree, weighStalls(studied.tree, stalled))
      : undefined;
    if (cause?.blame.frame.kind !== 'user' || cause.blame.share < SECOND_SHARE || isSame(cause, first.cause)) continue;
    const limits = limitsOf(cause, studied, ownShare(data));
    const counted = yield* countCalls(see, studied, cause);
    const delayMs = studied.evidence.data.maxLoopDelayMs ?? Number.POSITIVE_INFINITY;
    if (isLongCall(counted, stalled, limits, delayMs) === true) return { studied, stalled, cause, counted };
  }
  return undefined;
}

const MOST_GROUPS = 3;

/** The same function, or one on the way to the other. */
function isSame(a: Cause, b: Cause): boolean {
  const isOn = (one: Cause, other: Cause) =>
    other.users.some(({ url, line, column }) => {
      const { frame } = one.blame;
      return frame.url === url && frame.line === line && frame.column === column;
    });
  return isOn(a, b) || isOn(b, a) || (a.place.file === b.place.file && a.place.line === b.place.line);
}

/** However crowded the host, a call of several times the limit was long: 101 ms measured of one that takes 40 alone. */
const LEAST_OWN_SHARE = 0.4;

/** The part of the time that was not waiting for a core, 0.4..1. */
export function ownShare(data: Vitals | undefined): number {
  return Math.max(LEAST_OWN_SHARE, 1 - (data?.runQueueShare ?? 0));
}

/** Time of all stalls in microseconds. */
export const totalUs = (stalled: readonly Stall[]): number => stalled.reduce((sum, stall) => sum + stall.durationUs, 0);
/** The longest stall in milliseconds. */
export const longestMs = (stalled: readonly Stall[]): number =>
  stalled.reduce((most, stall) => Math.max(most, stall.durationUs), 0) / 1000;

/** A single stretch may be long because the thread had no core in the midst of it: what counts is how long it ran. */
function isEnough({ tree }: Study, stalled: readonly Stall[]): boolean {
  if (longestRanMs(stalled) >= LONG_STALL_MS) return true;
  return stalled.length >= 2 && totalUs(stalled) >= STALLED_SHARE * tree.durationUs;
}

const longestRanMs = (stalled: readonly Stall[]): number =>
  stalled.reduce((most, stall) => Math.max(most, stall.ranUs), 0) / 1000;

/**
 * A mean hides the rare long call among many short ones. Between the calls of two requests the server itself is on the
 * stack for a tenth of a millisecond and more, so that a profile sees some of twenty such gaps; one call has none.
 */
const LONG_STAND_MS = 300;
const OUTSTANDING = 20;
function isOutstanding(length: CallLength, limits: Limits): boolean {
  const { msPerCall = 0, oneCallMs = 0, longestMs } = length;
  if (limits !== COMPUTING && isUnbroken(length)) return true;
  // Of an asynchronous function a counter sees every beginning, and the long stretch may be behind its await.
  if (longestMs >= LONG_STALL_MS && isUnbroken(length)) return true;
  if (longestMs >= LONG_STAND_MS && longestMs >= OUTSTANDING * msPerCall) return true;
  return longestMs >= limits.stallMs && oneCallMs >= limits.callMs;
}

/** Of the gaps between calls of the mean length a tenth would be sampled, and of so many at least one (98 %). */
const SEEN_GAPS = 0.1;
const UNSEEN_GAPS = 40;
/** Rounds of a chain of microtasks take 0.33 ms at most, and nothing of the server stands between them to be seen. */
const LEAST_REQUEST_MS = 0.4;

/** True when stalls hold far fewer gaps than calls of the mean length would leave: some last as long as a stall. */
function isUnbroken({ msPerCall = 0, stands }: CallLength): boolean {
  if (msPerCall < LEAST_REQUEST_MS) return false;
  const unseen = stands.ranUs / 1000 / msPerCall - stands.stalls;
  // What stands for less than half of the mean is another call than the long one, and no gap in it.
  const gaps = stands.lengthsUs.filter(us => us >= msPerCall * 500).length - stands.stalls;
  return unseen >= UNSEEN_GAPS && gaps <= (SEEN_GAPS / 4) * unseen;
}

/** True when one call of any function on the way is long in itself. */
function isLongCall(
  counted: Counted | undefined,
  stalled: readonly Stall[],
  limits: Limits,
  delayMs: number,
): true | string {
  if (!counted)
    return longestRanMs(stalled) >= LONG_STALL_MS ? true : 'How long a single call is could not be measured.';
  const known = counted.lengths.filter(length => length.msPerCall !== undefined);
  if (known.some(({ msPerCall = 0, longestMs }) => Math.min(msPerCall, longestMs) >= limits.callMs)) return true;
  if (known.some(length => isOutstanding(length, limits))) return true;
  // Not called once while it was counted: rarer than every 2.5 s, so a stall was one call or few.
  const rare = counted.lengths.some(
    length =>
      length.msPerCall === undefined &&
      length.count.cut === undefined &&
      length.longestMs >= limits.stallMs &&
      // The loop turned within a stretch that is longer than any of its delays: it was many calls.
      length.longestMs <= MEASURED_BESIDE * delayMs,
  );
  if (rare) return true;
  const callMs = Math.max(0, ...known.map(length => length.msPerCall ?? 0));
  return `The long tasks are many short calls (${callMs.toFixed(1)} ms each at most), which is load and not a block.`;
}
