import { sayCount, sayMs, sayShare } from '../base/say.js';
import type { Stall } from '../cpu/stalls.js';
import { type CallTree, type Frame, frameAt } from '../cpu/tree.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { longestMs, totalUs } from './blocking.js';
import { explain } from './cause.js';
import { locate, nameOf } from './place.js';
import {
  type CallLength,
  type Counted,
  countCalls,
  LONG_STALL_MS,
  MEASURED_BESIDE,
  type Study,
  weighStalls,
} from './study.js';

/** V8's own part of a chain (the queue itself, collections) was 35 % at most; much more is something else. */
const LEAST_OWN_SHARE = 0.4;
/** A chain went round 270 to 360 times in 50 ms while each round was counted, which slows it; requests stay below 60. */
const ROUNDS = 150;
const ROUNDS_MS = 50;
/** The function that holds the chain is resumed, not called again: at most so often for each stretch. */
const CALLS_PER_CHAIN = 2;
const CRITICAL_MS = 500;

/**
 * A chain of microtasks that keeps the loop from turning although no single call is long: an `await` of what is already
 * there gives the loop no turn. Undefined when the long stretches are anything else.
 */
export async function* starved(see: OperatorView, studied: Study): Step<NotificationDraft | undefined> {
  const { tree } = studied;
  // While callbacks that are called one a turn (setImmediate) fill a core, the loop turns between any two of them.
  const delayMs = studied.evidence.data.maxLoopDelayMs ?? Number.POSITIVE_INFINITY;
  const stalled = chains(tree).filter(({ durationUs }) => durationUs / 1000 <= delayMs * MEASURED_BESIDE);
  const cause = stalled.length > 0 ? yield* explain(see, tree, weighStalls(tree, stalled)) : undefined;
  if (!cause || cause.users.length === 0) return undefined;
  const counted = yield* countCalls(see, studied, cause);
  const rounds = counted?.lengths.map(length => roundsOf(length)) ?? [];
  const most = Math.max(0, ...rounds);
  const outer = cause.users[0]!;
  if (!counted || most < ROUNDS || isCalledAnew(counted, outer, studied, stalled)) return undefined;
  const script = cause.scripts.get(outer.scriptId);
  const place = outer === cause.blame.frame ? cause.place : locate(script, outer, see.target.cwd);
  return draftOf(studied, stalled, place, [cause.place], most, counted.evidence.id);
}

/** Microtasks begin at the root by themselves, or under Node's runner of them. */
const RUNNERS = /^(runMicrotasks|processTicksAndRejections|runNextTicks|processTimers|listOnTimeout|processImmediate)$/;

/** They call back themselves. */
const TURNS = /^(listOnTimeout|processImmediate)$/;

/**
 * Long stretches of application code that no socket, file or timer called, and no idle. Unlike a single call such a
 * chain is interrupted by V8's own work again and again. Requests that come at once show their sockets and parsers.
 */
function chains(tree: CallTree): Stall[] {
  const found: Stall[] = [];
  let open = { from: 0, ownUs: 0, allUs: 0, gcUs: 0 };
  for (let at = 0; at <= tree.sampleNode.length; at++) {
    const entry = at < tree.sampleNode.length ? entryBelowRunners(tree, tree.sampleNode[at]!) : 'other';
    if (entry === 'other' || entry === 'turn') {
      if (open.ownUs >= LEAST_OWN_SHARE * open.allUs && open.allUs >= LONG_STALL_MS * 1000)
        found.push({
          from: open.from,
          to: at,
          atUs: tree.sampleAtUs[open.from]!,
          durationUs: open.allUs,
          ranUs: open.allUs,
          gcUs: open.gcUs,
        });
      open = { from: entry === 'turn' ? at : at + 1, ownUs: 0, allUs: 0, gcUs: 0 };
      if (entry === 'other') continue;
    }
    const us = tree.sampleUs[at]!;
    open.allUs += us;
    if (entry === 'own' || entry === 'turn') open.ownUs += us;
    if (entry === 'gc') open.gcUs += us;
  }
  return found;
}

/** Handlers of many requests that a settled promise resumes together are called once for each of them, and work a while. */
function isCalledAnew({ lengths }: Counted, outer: Frame, { tree }: Study, stalled: readonly Stall[]): boolean {
  const length = lengths.find(({ frame }) => frame === outer);
  if (!length || roundsOf(length) >= ROUNDS) return false;
  return length.count.perSecond > 1 + (CALLS_PER_CHAIN * stalled.length) / (tree.durationUs / 1e6);
}

/** `turn`: a callback that the loop itself called, so that it has turned before. */
type Entry = 'own' | 'turn' | 'other' | 'mark' | 'gc';

/** What stands outermost on the stack, Node's runners of microtasks left out; a runner alone is a part of the chain. */
function entryBelowRunners(tree: CallTree, node: number): Entry {
  let entry: Entry = 'mark';
  let isOwn = false;
  for (let at = node; at >= 0; at = tree.parent[at]!) {
    const { kind, functionName } = frameAt(tree, at);
    if (kind === 'idle') return 'other';
    if (kind === 'gc') return 'gc';
    // Microtasks between two callbacks stand under a runner of their own.
    if (isOwn && TURNS.test(functionName)) return 'turn';
    isOwn = kind === 'user' || kind === 'package' || kind === 'evaluated';
    if (isOwn) entry = 'own';
    else if ((kind === 'node' || kind === 'native') && !RUNNERS.test(functionName)) entry = 'other';
  }
  return entry;
}

/** The most calls within 50 ms. */
const roundsOf = ({ count: { densest = [] } }: CallLength): number =>
  densest.find(({ ms }) => ms >= ROUNDS_MS)?.calls ?? 0;

function draftOf(
  { tree, evidence }: Study,
  stalled: readonly Stall[],
  place: NonNullable<NotificationDraft['culprit']>,
  beneath: readonly NonNullable<NotificationDraft['culprit']>[],
  rounds: number,
  countId: string,
): NotificationDraft {
  const where = nameOf(place);
  const longest = longestMs(stalled);
  const share = totalUs(stalled) / tree.durationUs;
  return {
    anomalyType: 'microtask-chain',
    faultClass: 'loop.starvation',
    severity: longest >= CRITICAL_MS || share >= 0.3 ? 'critical' : 'warning',
    title: `${where} keeps the event loop from turning for up to ${sayMs(longest)}: it awaits what is already there`,
    context: `CPU profile of ${sayMs(tree.durationUs / 1000)}; calls were counted for a moment.`,
    observation: `The event loop stood still ${stalled.length} times for ${sayMs(LONG_STALL_MS)} or longer (${sayShare(share)} of the time), at most ${sayMs(longest)}, and ran nothing but microtasks under ${where}: ${sayCount(rounds)} rounds or more in ${ROUNDS_MS} ms.`,
    hypothesis:
      'A loop awaits promises that are settled already: microtasks run before anything else, so no socket and no timer gets a turn.',
    culprit: place,
    ...(beneath[0] && beneath[0].line !== place.line ? { related: [beneath[0]] } : {}),
    fix: 'Wait for the event itself, or give the loop a turn between rounds (await a timer or setImmediate).',
    metrics: [
      { name: 'longest stall', value: longest, unit: 'ms' },
      { name: 'stalled share', value: share * 100, unit: '%' },
      { name: 'rounds', value: rounds, unit: 'calls' },
      { name: 'time of the rounds', value: ROUNDS_MS, unit: 'ms' },
      { name: 'stalls', value: stalled.length, unit: 'stalls' },
      { name: 'window', value: tree.durationUs / 1000, unit: 'ms' },
      { name: 'stall threshold', value: LONG_STALL_MS, unit: 'ms' },
    ],
    evidenceIds: [evidence.id, countId],
    mechanism: true,
    confidence: 'high',
  };
}
