import type { Stall } from '../cpu/stalls.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Cause, explain } from './cause.js';
import { type Counted, countCalls, LONG_CALL_MS, mainStalls, STALL_MS, type Study, weighStalls } from './study.js';

/** Less than this share of the window in long tasks is chance, unless a single one is long. */
const STALLED_SHARE = 0.03;
/** A single stall of this length is worth naming. */
export const LONG_STALL_MS = 100;
/** When collections take most of a stall, what to name is the allocation, which is the gc skill's. */
const GC_SHARE = 0.5;

/** A call that keeps the event loop from turning. */
export interface Block {
  /** The long tasks that are laid to it. */
  readonly stalled: readonly Stall[];
  readonly cause: Cause;
  readonly counted: Counted | undefined;
}

/** The call that blocks, or a sentence that says why there is none. */
export async function* findBlock(see: OperatorView, studied: Study, data: Vitals | undefined): Step<Block | string> {
  const delayMs = studied.evidence.data.maxLoopDelayMs;
  if (delayMs !== undefined && delayMs < STALL_MS) return 'Nothing held the loop for 40 ms while it was profiled.';
  const stalled = mainStalls(studied);
  if (!isEnough(studied, stalled)) return 'No long task takes a notable share of the time.';
  const gcUs = stalled.reduce((sum, stall) => sum + stall.gcUs, 0);
  if (gcUs > GC_SHARE * totalUs(stalled)) return 'Most of the long tasks is garbage collection.';
  const cause = yield* explain(see, studied.tree, weighStalls(studied.tree, stalled));
  if (!cause) return 'Nothing ran in the long tasks.';
  const counted = yield* countCalls(see, studied, cause);
  const waited = data?.runQueueShare ?? 0;
  const verdict = isLongCall(counted, stalled, waited);
  if (verdict !== true) return verdict;
  return { stalled, cause, counted };
}

/** Time of all stalls in microseconds. */
export const totalUs = (stalled: readonly Stall[]): number => stalled.reduce((sum, stall) => sum + stall.durationUs, 0);
/** The longest stall in milliseconds. */
export const longestMs = (stalled: readonly Stall[]): number =>
  stalled.reduce((most, stall) => Math.max(most, stall.durationUs), 0) / 1000;

function isEnough({ tree }: Study, stalled: readonly Stall[]): boolean {
  if (longestMs(stalled) >= LONG_STALL_MS) return true;
  return stalled.length >= 2 && totalUs(stalled) >= STALLED_SHARE * tree.durationUs;
}

/** True when one call of any function on the way is long in itself; waiting for a core is not the program's. */
function isLongCall(counted: Counted | undefined, stalled: readonly Stall[], runQueueShare: number): true | string {
  const own = 1 - Math.min(0.9, runQueueShare);
  if (!counted)
    return longestMs(stalled) * own >= LONG_STALL_MS ? true : 'How long a single call is could not be measured.';
  const known = counted.lengths.filter(length => length.msPerCall !== undefined);
  const long = known.find(
    ({ msPerCall = 0, longestMs }) => msPerCall * own >= LONG_CALL_MS && longestMs * own >= LONG_CALL_MS,
  );
  if (long) return true;
  // Not called once while it was counted: rarer than every 2.5 s, so a stall was one call or few.
  const rare = counted.lengths.some(
    length => length.msPerCall === undefined && length.count.cut === undefined && length.longestMs * own >= STALL_MS,
  );
  if (rare) return true;
  const callMs = Math.max(0, ...known.map(length => length.msPerCall ?? 0));
  return `The long tasks are many short calls (${callMs.toFixed(1)} ms each at most), which is load and not a block.`;
}
