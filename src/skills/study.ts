import { dominantOwner } from '../cpu/blame.js';
import { heavyBeneath, isOnlyBeneath, usersBeneath } from '../cpu/owned.js';
import { type Stall, type Stands, stalls, standsOf } from '../cpu/stalls.js';
import { type CallTree, callTree, type Frame } from '../cpu/tree.js';
import { byFunction, isWork, type Weights, weigh } from '../cpu/weights.js';
import type { CallCount, CallCounts } from '../model/evidence/call-counts.js';
import type { CpuProfile, CpuProfileParams } from '../model/evidence/cpu-profile.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { OperatorView, Step } from '../model/skill.js';
import { parametersOf } from '../source/names.js';
import type { ScriptText } from '../source/script.js';
import { withoutBundles } from './bundle.js';
import { isAsyncAt } from './catching.js';
import type { Cause } from './cause.js';
import { sourceOf } from './place.js';

/** 3 s miss faults rarer than one in 2.5 s; at 5 ms and more cooperative slices merge into a false block. */
export const PROFILE = { seconds: 5, intervalUs: 1000 } as const;
/** For a loop that is busy half of the time: whatever keeps it so is at it now. */
const SHORT_PROFILE = { seconds: 3.5, intervalUs: 1000 } as const;
/** When the first window missed what the baseline had seen. */
export const LONG_PROFILE = { seconds: 10, intervalUs: 1000 } as const;
/** A second look for which V8 compiles anew what hides inlined functions. */
export const AGAIN = { seconds: 4, intervalUs: 1000 } as const;
/** A profile of moments ago serves both who ask for it: they begin at the same time. */
const PROFILE_FRESH_MS = 15_000;

/** The event loop standing still for less is not noticed by anybody; from the measured services. */
export const STALL_MS = 40;
/** A synchronous API with an asynchronous twin, or a regular expression, is a fault of its own from half of that on. */
export const SHORT_STALL_MS = 20;
export const SHORT_CALL_MS = 15;
/** Bursts of short calls read 3.8 ms a call, a real block 56. */
export const LONG_CALL_MS = 30;
/** A call that stalls the loop is to come this often while it is counted; the rare one gets the longest count. */
const COUNTED_STALLS = 4;
const COUNT_SECONDS = { least: 1.25, most: 2.5 } as const;

/** The loop's delay is measured beside the profile, from a moment later on: a stall may exceed it by so much. */
export const MEASURED_BESIDE = 1.5;

/** What every first look shares, and what is enough to see that something is amiss right now. */
export const LOOP_WINDOW = { seconds: 5 } as const;
const FIRST_LOOK = { seconds: 1.5 } as const;
const QUICK_LOOK = { seconds: 3 } as const;
/** From here on five seconds would say the same. */
const CLEARLY_BUSY_ELU = 0.5;
/** A single stall of this length is worth naming. */
export const LONG_STALL_MS = 100;
/** The cpu is nobody's complaint below this share of a core. */
export const QUIET_SHARE = 0.12;

/** The loop before anything is profiled: over 1.5 s where those say enough, else over three or five. */
export async function* baselineOf(see: OperatorView): Step<Evidence<Vitals>> {
  for (const window of [FIRST_LOOK, QUICK_LOOK, LOOP_WINDOW]) yield* see.begin('vitals', window);
  const first = yield* see.ask('vitals', FIRST_LOOK);
  if (isUsable(first) && isBusy(first.data, LONG_STALL_MS)) return first;
  const quick = yield* see.ask('vitals', QUICK_LOOK);
  return isUsable(quick) && isBusy(quick.data, STALL_MS) ? quick : yield* see.ask('vitals', LOOP_WINDOW);
}

const isBusy = ({ elu, loopDelay }: Vitals, stallMs: number): boolean =>
  elu >= CLEARLY_BUSY_ELU || loopDelay.maxMs >= stallMs;

/** The window of the first profile; everybody who has the same baseline takes the same one. */
export function firstProfile(baseline: Vitals | undefined): CpuProfileParams {
  if (baseline === undefined) return PROFILE;
  if (isOngoing(baseline)) return SHORT_PROFILE;
  return isHardlyBusy(baseline) ? { ...PROFILE, unlessKnown: true } : PROFILE;
}

/** Whoever profiles because of so little does it for completeness. */
export const isHardlyBusy = ({ elu, loopDelay }: Vitals): boolean =>
  elu < QUIET_SHARE && loopDelay.maxMs < LONG_STALL_MS;

/** Whatever keeps the loop busy is at it now, or stalled it more than once: of 150 ticks two are above the 99th part. */
const isOngoing = ({ elu, loopDelay }: Vitals): boolean => elu >= CLEARLY_BUSY_ELU || loopDelay.p99Ms >= LONG_STALL_MS;

/** One profile with what was derived from it. */
export interface Study {
  readonly evidence: Evidence<CpuProfile>;
  readonly tree: CallTree;
  /** Stretches of 20 ms and more without idle. */
  readonly stalls: readonly Stall[];
  /** All work of the window. */
  readonly work: Weights;
}

/** Profiles the target and derives what both skills need; undefined with the reason when it was refused or failed. */
export async function* study(see: OperatorView, params: CpuProfileParams = PROFILE): Step<Study | string> {
  const evidence = yield* see.ask('cpu-profile', params, PROFILE_FRESH_MS);
  if (!isUsable(evidence)) return evidence.reason ?? 'The CPU profile could not be taken.';
  const tree = yield* withoutBundles(see, callTree(evidence.data.profile));
  return { evidence, tree, stalls: stalls(tree, SHORT_STALL_MS * 1000), work: weigh(tree) };
}

/** The stalls of the owner that takes most of the stalled time: two blockers must not blur each other. */
export function mainStalls(study: Study, all: readonly Stall[]): Stall[] {
  return stallGroups(study, all)[0] ?? [];
}

/** Stalls by the owner that takes most of each, the heaviest group first. */
export function stallGroups({ tree }: Study, all: readonly Stall[]): Stall[][] {
  const groups = new Map<number, { us: number; stalls: Stall[] }>();
  for (const stall of all) {
    const owner = dominantOwner(tree, weighStalls(tree, [stall]));
    const group = groups.get(owner) ?? { us: 0, stalls: [] };
    group.stalls.push(stall);
    groups.set(owner, { ...group, us: group.us + stall.durationUs });
  }
  return [...groups.values()].sort((a, b) => b.us - a.us).map(group => group.stalls);
}

/** Weighs the work within stalls only. */
export function weighStalls(tree: CallTree, of: readonly Stall[]): Weights {
  const within = new Uint8Array(tree.sampleNode.length);
  for (const { from, to } of of) within.fill(1, from, to);
  return weigh(tree, at => within[at] === 1 && isWork(tree, tree.sampleNode[at]!));
}

/** How long single calls of a function are, from two readings: time per second ÷ calls per second. */
export interface CallLength {
  readonly frame: Frame;
  readonly count: CallCount;
  /** Undefined when it was not called while it was counted, or could not be counted. */
  readonly msPerCall?: number;
  /** The longest unbroken stand on the stack, in milliseconds of running. */
  readonly longestMs: number;
  readonly stands: Stands;
  /** That stand ÷ the most calls that ever began within so long a stretch, or what it called so long after: one call lasted that at least. */
  readonly oneCallMs?: number;
}

export interface Counted {
  readonly evidence: Evidence<CallCounts>;
  readonly lengths: readonly CallLength[];
}

/** Counts the calls of a cause's functions, outermost first, and of what they call in a package. */
export async function* countCalls(
  see: OperatorView,
  { tree, stalls: all }: Study,
  cause: Cause,
): Step<Counted | undefined> {
  return yield* count(see, tree, all, countable(cause), cause.scripts);
}

async function* count(
  see: OperatorView,
  tree: CallTree,
  all: readonly Stall[],
  frames: readonly Frame[],
  scripts: ReadonlyMap<string, ScriptText>,
): Step<Counted | undefined> {
  const functions = frames.map(({ scriptId, url, line, column }) => {
    const text = scripts.get(scriptId)?.text;
    return { scriptId, url, line, column, parameters: text === undefined ? [] : parametersOf(text, line, column) };
  });
  if (functions.length === 0) return undefined;
  const params = { seconds: countSeconds(tree, all), functions, sameArguments: true };
  const evidence = yield* see.ask('call-counts', params, PROFILE_FRESH_MS);
  if (!isUsable(evidence)) return undefined;
  const times = new Map(byFunction(tree, weigh(tree)).map(time => [time.frame, time.totalUs]));
  const lengths = evidence.data.counts.map((item, at) => {
    const length = lengthOf(tree, all, frames[at]!, item, times);
    const ownMs = Math.min(length.longestMs, spanOf(tree, frames, at, item, scripts));
    return ownMs > (length.oneCallMs ?? 0) ? { ...length, oneCallMs: ownMs } : length;
  });
  return { evidence, lengths };
}

/** How long one call lasted at least, by the calls of functions that only run beneath it; in milliseconds. */
function spanOf(
  tree: CallTree,
  frames: readonly Frame[],
  at: number,
  { spansMs = [] }: CallCount,
  scripts: ReadonlyMap<string, ScriptText>,
): number {
  const { scriptId, line, column } = frames[at]!;
  const text = scripts.get(scriptId)?.text;
  // An async function also runs beneath itself after an await, when others have begun.
  if (text === undefined || isAsyncAt(text, { line0: line, column0: column })) return 0;
  const outer = tree.frames.indexOf(frames[at]!);
  const deeper = spansMs.filter((_, of) => frames[of] && isOnlyBeneath(tree, tree.frames.indexOf(frames[of]!), outer));
  return Math.max(0, ...deeper);
}

function countSeconds({ durationUs }: CallTree, all: readonly Stall[]): number {
  const apart = durationUs / 1e6 / Math.max(1, all.length);
  const seconds = Math.min(COUNT_SECONDS.most, Math.max(COUNT_SECONDS.least, COUNTED_STALLS * apart));
  return Math.round(seconds * 4) / 4;
}

/** Package functions with this share of the blamed one's time are counted for their arguments. */
const HEAVY_SHARE = 0.25;
const MAX_COUNTED = 6;
/** The first ones get what the application hands in; the deeper ones are called too often to be compared. */
const OUTERMOST = 3;
/** … and of the application's own beneath it. */
const MOST_OWN = 2;

/**
 * Counts what a cause calls in packages, with their arguments: work done again shows where the text or object arrives.
 * `outer`: only the way in. V8 runs a function without optimization while it is counted, and the inner ones of a deep
 * clone so made a service sixteen times slower.
 */
export async function* countArguments(
  see: OperatorView,
  { tree, work, stalls: all }: Study,
  cause: Cause,
  depth: 'outer' | 'all',
): Step<Counted | undefined> {
  const heavy = heavyBeneath(tree, work, cause.blame.frameIndex, HEAVY_SHARE).filter(
    frame => frame.package !== undefined,
  );
  const own = usersBeneath(tree, work, cause.blame.frameIndex, HEAVY_SHARE).slice(0, MOST_OWN);
  const outer = heavy.slice(0, OUTERMOST);
  const inner = spreadOut(heavy.slice(OUTERMOST), MAX_COUNTED - 1 - own.length - outer.length);
  const frames =
    depth === 'outer' ? [cause.blame.frame, ...outer.slice(0, 1)] : [cause.blame.frame, ...own, ...outer, ...inner];
  const scripts = new Map(cause.scripts);
  const ids = [...new Set(frames.map(frame => frame.scriptId))];
  for (const id of ids) {
    const script = scripts.get(id) ?? (yield* sourceOf(see, id, ids));
    if (script) scripts.set(id, script);
  }
  return yield* count(see, tree, all, frames, scripts);
}

/** Some of a long list, evenly: first, last and between. */
function spreadOut<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  if (most <= 0) return [];
  return Array.from({ length: most }, (_, at) => list[Math.round((at * (list.length - 1)) / Math.max(1, most - 1))]!);
}

/** The entry, the two innermost callers, the blamed function and what it calls in a package. */
function countable({ users, blame, owned }: Cause): Frame[] {
  const outer = users.length > 4 ? [users[0]!, ...users.slice(-3)] : users;
  const packaged = owned.callees
    .map(callee => callee.frame)
    .filter(frame => frame.kind === 'package')
    .slice(0, 1);
  return [...new Set([...outer, blame.frame, ...packaged])].filter(
    frame => frame.scriptId !== '0' && frame.scriptId !== '',
  );
}

function lengthOf(
  tree: CallTree,
  all: readonly Stall[],
  frame: Frame,
  count: CallCount,
  times: ReadonlyMap<Frame, number>,
): CallLength {
  const stands = standsOf(tree, all, tree.frames.indexOf(frame));
  const longestMs = stands.longestUs / 1000;
  const msPerSecond = (times.get(frame) ?? 0) / 1000 / Math.max(0.001, tree.durationUs / 1e6);
  // A counter that was cut short counted a part of a second's calls at least.
  if (count.calls === 0 || count.perSecond === 0) return { frame, count, longestMs, stands };
  const most = mostWithin(count, longestMs);
  return {
    frame,
    count,
    longestMs,
    stands,
    msPerCall: Math.min(msPerSecond / count.perSecond, perStandMs(stands)),
    ...(most === undefined ? {} : { oneCallMs: longestMs / most }),
  };
}

/**
 * V8 runs a function without optimization while it is counted: a busy service then makes a fifth of its calls, and each
 * looks five times as long. Every stand holds one call at least.
 */
const perStandMs = ({ ranUs, count }: Stands): number => (count === 0 ? Infinity : ranUs / 1000 / count);

/** The most calls that began within a stretch of `ms`; undefined where they were not counted to the end. */
function mostWithin({ densest, cut }: CallCount, ms: number): number | undefined {
  const last = densest?.at(-1);
  if (!densest || !last || cut !== undefined) return undefined;
  const fitting = densest.find(stretch => stretch.ms >= ms);
  return Math.max(1, fitting ? fitting.calls : Math.ceil((last.calls * ms) / last.ms));
}
