import { z } from 'zod';
import { sayMs, sayShare } from '../base/say.js';
import { fromLine, type Mechanism } from '../cpu/mechanism.js';
import type { Hang, HangFrame } from '../model/evidence/hang.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { CodeLocation } from '../model/location.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import { callsOnLine } from '../source/calls.js';
import { isInLoop } from '../source/loops.js';
import { packageOf } from '../source/url.js';
import { withRoute } from './answered-route.js';
import {
  type Block,
  findBlock,
  findSecondBlock,
  longestMs as longest,
  ownShare,
  totalUs as total,
} from './blocking.js';
import { ownFrames } from './bundle.js';
import type { Cause } from './cause.js';
import { BLOCK_CLASS, DOING, FIX } from './fixes.js';
import { locate, nameOf } from './place.js';
import { longTasks } from './profile-queries.js';
import { spin } from './spin.js';
import { starved } from './starvation.js';
import {
  baselineOf,
  type Counted,
  firstProfile,
  isHardlyBusy,
  LONG_PROFILE,
  LONG_STALL_MS,
  LOOP_WINDOW,
  SHORT_STALL_MS,
  STALL_MS,
  type Study,
  study,
} from './study.js';
import { textOf } from './waiting-place.js';

const vitals = { kind: 'vitals', params: LOOP_WINDOW } as const;

/** A loop this busy is worth a look even when nobody waited 40 ms in the baseline. */
const BUSY_ELU = 0.9;
/** From here on callers give up or retry. */
const CRITICAL_MS = 500;
const CRITICAL_SHARE = 0.3;
/** A thread that waits for a core for this share of the time stands still for no reason of its own. */
const CROWDED_SHARE = 0.15;
/** The mean of calls that are mostly short says nothing about the long ones. */
const CALL_SHARE = 0.1;
/** A loop that has not turned for this long hangs. */
const HANG_SECONDS = 3;

export const eventLoop = defineSkill({
  id: 'event-loop',
  title: 'Event loop',
  description: 'Delay and utilization of the event loop, and the call that blocked it',
  scope:
    'Whether the event loop turns in time, and which call keeps it from turning. Not what requests wait for while it turns (async).',
  words: [
    'event loop',
    'loop',
    'blocked',
    'blocking',
    'lag',
    'latency',
    'slow',
    'hang',
    'hangs',
    'hung',
    'freeze',
    'frozen',
    'stuck',
    'timeouts',
    'timeout',
    'unresponsive',
    'stall',
    'stalls',
  ],
  whileHung: true,
  needs: { vitals },
  snapshot: given => (given.vitals === undefined ? undefined : loopNumbers(given.vitals)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'loop_delay',
      doc: 'Delay and utilization of the event loop over a window of 1 to 30 seconds.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(5) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('vitals', { seconds });
        return isUsable(reading) ? loopNumbers(reading.data) : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
    longTasks,
  ],
  prompt:
    'A long stretch without idle is a block only if a single call is long: thirty short requests at once look the same in a profile. Utilization read while a profiler runs is wrong.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const first = yield* baselineOf(see);
  const concluded = yield* lookOnce(see, first);
  return isUsable(first) && concluded.outcome === 'healthy' ? yield* laterOn(see, first.data, concluded) : concluded;
}

/** The loop over one window, of the main thread or of a worker's. */
export async function* lookOnce(see: OperatorView, baseline: Evidence<Vitals>): Step<Conclusion> {
  const data = isUsable(baseline) ? baseline.data : undefined;
  if (!data || data.loopDelay.count === 0 || data.loopDelay.maxMs >= HANG_SECONDS * 1000) {
    const hung = yield* hang(see);
    if (hung) return hung;
  }
  if (data && !isSuspicious(data, see.urgent)) return healthy(data);
  const studied = yield* study(see, firstProfile(data));
  if (typeof studied === 'string')
    return data && isHardlyBusy(data)
      ? healthy(data)
      : { outcome: 'inconclusive', summary: `The event loop was not profiled: ${studied}` };
  const spinning = data ? yield* spin(see, studied, data) : undefined;
  if (spinning) return yield* tell(see, spinning, isUsable(baseline) ? [baseline.id] : []);
  return yield* judge(see, studied, data, isUsable(baseline) ? [baseline.id] : []);
}

async function* tell(see: OperatorView, found: NotificationDraft, evidenceIds: readonly string[]): Step<Conclusion> {
  yield* see.setState(found.severity === 'critical' ? 'critical' : 'warning', found.title ?? found.observation);
  yield* see.notify({ ...found, evidenceIds: [...evidenceIds, ...found.evidenceIds] });
  return { outcome: 'found', summary: found.observation };
}

/** While others watch for growth anyway: with the first window as long as most rare jobs are apart. */
const LATER = { seconds: 12, untilKnown: true } as const;
const ANEW = 0;
/** A process that does next to nothing has no callers to keep waiting. */
const SERVING_ELU = 0.005;
/** A collection that lens forces takes 828 ms at 250 MB: so much of a standstill may be its own. */
const OWN_MS_PER_MB = 4;

/** A quiet window proves little about what happens every ten seconds: a long standstill later on is looked into too. */
async function* laterOn(see: OperatorView, first: Vitals, sofar: Conclusion): Step<Conclusion> {
  if (first.elu < SERVING_ELU) return sofar;
  const later = yield* see.ask('vitals', LATER, ANEW);
  if (!isUsable(later) || !isUnexplained(later.data) || later.data.loopDelay.maxMs < CRITICAL_MS + ownMs(later.data))
    return sofar;
  const studied = yield* study(see, LONG_PROFILE);
  if (typeof studied === 'string') return { outcome: 'inconclusive', summary: unexplained(later.data) };
  return yield* judge(see, studied, later.data, [later.id]);
}

const ownMs = ({ samples }: Vitals): number => ((samples.at(-1)?.heapUsedBytes ?? 0) / 1e6) * OWN_MS_PER_MB;

/** A block that the profile holds, half of what the baseline had seen at least. */
const FOUND_SHARE = 0.5;

/** True when the profile's window held no such stall as the baseline did: it is rare, and a longer window may have it. */
function isMissed(see: OperatorView, { stalls }: Study, data: Vitals | undefined): boolean {
  if (see.urgent && stalls.length === 0) return true;
  const seenMs = (data?.loopDelay.maxMs ?? 0) * ownShare(data);
  return seenMs >= LONG_STALL_MS && longest(stalls) < FOUND_SHARE * seenMs;
}

/** A rare standstill that nobody is paged for: beside a known cause it needs no longer look. */
const isShort = (data: Vitals | undefined): boolean => data !== undefined && data.loopDelay.maxMs < CRITICAL_MS;

/** So long a standstill is no chance where cores are free. */
const isUnexplained = (data: Vitals): boolean =>
  data.loopDelay.maxMs >= CRITICAL_MS && (data.runQueueShare ?? 0) < CROWDED_SHARE;

const unexplained = ({ loopDelay, seconds }: Vitals): string =>
  `The event loop stood still for ${sayMs(loopDelay.maxMs)} within ${sayMs(seconds * 1000)}, and no profile caught what it did.`;

function isSuspicious(data: Vitals, urgent: boolean): boolean {
  return urgent || data.loopDelay.maxMs >= SHORT_STALL_MS || data.elu >= BUSY_ELU;
}

async function* judge(
  see: OperatorView,
  studied: Study,
  data: Vitals | undefined,
  evidenceIds: readonly string[],
): Step<Conclusion> {
  let looked = studied;
  let blocked = yield* findBlock(see, looked, data);
  if (typeof blocked === 'string' && isMissed(see, studied, data)) {
    const longer = yield* study(see, isShort(data) ? { ...LONG_PROFILE, unlessKnown: true } : LONG_PROFILE);
    if (typeof longer !== 'string') {
      looked = longer;
      blocked = yield* findBlock(see, looked, data);
    }
  }
  if (typeof blocked === 'string') {
    const starving = yield* starved(see, looked);
    if (starving) return yield* tell(see, starving, evidenceIds);
  }
  if (typeof blocked === 'string')
    return data && !isUnexplained(data)
      ? { outcome: 'healthy', summary: `${healthy(data).summary} ${blocked}` }
      : { outcome: 'inconclusive', summary: data ? `${unexplained(data)} ${blocked}` : blocked };
  const concluded = yield* tell(see, draft(yield* withRoute(see, blocked)), evidenceIds);
  const second = yield* findSecondBlock(see, looked, data, blocked);
  if (second) {
    const other = draft(second);
    yield* see.notify({ ...other, evidenceIds: [...evidenceIds, ...other.evidenceIds] });
  }
  return concluded;
}

function draft({ studied, stalled, cause, counted }: Block): NotificationDraft {
  const numbers = numbersOf(studied, stalled, cause, counted);
  const { longestMs, stalledShare } = numbers;
  const where = nameOf(cause.place);
  const doing = cause.mechanism === 'compute' ? 'computing' : `${DOING[cause.mechanism]} (\`${cause.what}\`)`;
  const perCall = numbers.callMs === undefined ? '' : ` One call takes ${sayMs(numbers.callMs)}.`;
  return {
    anomalyType: 'long-task',
    faultClass: BLOCK_CLASS[cause.mechanism],
    severity: longestMs >= CRITICAL_MS || stalledShare >= CRITICAL_SHARE ? 'critical' : 'warning',
    title: `${where} blocks the event loop for up to ${sayMs(longestMs)}: ${doing}`,
    context: `CPU profile of ${sayMs(numbers.windowMs)}; the loop delay was measured outside of lens' own pauses.`,
    observation: `The event loop stood still ${stalled.length} times for ${sayMs(numbers.thresholdMs)} or longer, ${sayMs(numbers.stalledMs)} in all (${sayShare(stalledShare)} of the time), at most ${sayMs(longestMs)}. ${sayShare(cause.blame.share)} of that ran under ${where}.${perCall}`,
    hypothesis: `Everything else waits while ${cause.place.function ?? 'it'} is ${doing}.`,
    culprit: cause.place,
    ...(cause.entry ? { related: [cause.entry] } : {}),
    fix: FIX[cause.mechanism],
    metrics: metricsOf(numbers, stalled.length, cause),
    evidenceIds: [studied.evidence.id, ...(counted ? [counted.evidence.id] : [])],
    mechanism: true,
    confidence: cause.blame.by === 'leaf' || cause.blame.share < 0.5 ? 'medium' : 'high',
  };
}

interface Numbers {
  readonly windowMs: number;
  readonly thresholdMs: number;
  readonly longestMs: number;
  readonly stalledMs: number;
  readonly stalledShare: number;
  readonly callMs?: number;
  readonly delayMs?: number;
}

function numbersOf(studied: Study, stalled: Study['stalls'], cause: Cause, counted: Counted | undefined): Numbers {
  const stalledMs = total(stalled) / 1000;
  const windowMs = studied.tree.durationUs / 1000;
  const ownMs = counted?.lengths.find(length => length.frame === cause.blame.frame)?.msPerCall;
  // A comparator is called a thousand times within one sort.
  const callMs = ownMs !== undefined && isPlausible(ownMs, longest(stalled)) ? ownMs : undefined;
  const delayMs = studied.evidence.data.maxLoopDelayMs;
  return {
    windowMs,
    thresholdMs: stalled.every(stall => stall.durationUs >= STALL_MS * 1000) ? STALL_MS : SHORT_STALL_MS,
    longestMs: longest(stalled),
    stalledMs,
    stalledShare: stalledMs / windowMs,
    ...(callMs === undefined ? {} : { callMs }),
    ...(delayMs === undefined ? {} : { delayMs }),
  };
}

/** A second's time ÷ a second's calls, of two windows: with few calls it may be several stalls long. */
const isPlausible = (callMs: number, longestMs: number): boolean =>
  callMs >= CALL_SHARE * longestMs && callMs <= longestMs;

function metricsOf(numbers: Numbers, count: number, cause: Cause): Metric[] {
  const ms = (name: string, value: number | undefined): Metric[] =>
    value === undefined ? [] : [{ name, value, unit: 'ms' }];
  return [
    ...ms('window', numbers.windowMs),
    ...ms('longest stall', numbers.longestMs),
    ...ms('stalled', numbers.stalledMs),
    { name: 'stalled share', value: numbers.stalledShare * 100, unit: '%' },
    { name: 'stalls', value: count, unit: 'stalls' },
    { name: 'stall threshold', value: numbers.thresholdMs, unit: 'ms' },
    { name: 'share under the culprit', value: cause.blame.share * 100, unit: '%' },
    ...ms('one call', numbers.callMs),
    ...ms('longest loop delay', numbers.delayMs),
  ];
}

function healthy(data: Vitals): Conclusion {
  const { maxMs, p99Ms } = data.loopDelay;
  return {
    outcome: 'healthy',
    summary: `The event loop turns in time: delay p99 ${sayMs(p99Ms)}, at most ${sayMs(maxMs)}, utilization ${sayShare(data.elu)}.`,
  };
}

function loopNumbers(data: Vitals) {
  const { p50Ms, p99Ms, maxMs } = data.loopDelay;
  return {
    seconds: data.seconds,
    elu: data.elu,
    cpuPercent: data.cpuPercent,
    delayP50Ms: p50Ms,
    delayP99Ms: p99Ms,
    delayMaxMs: maxMs,
    gcShare: data.gcShare,
  };
}

/** What a loop that doesn't turn is caught in; undefined when it turns after all. */
async function* hang(see: OperatorView): Step<Conclusion | undefined> {
  const evidence = yield* see.ask('hang', { seconds: HANG_SECONDS });
  if (!isUsable(evidence) || evidence.data.kind === 'turns') return undefined;
  const own = yield* ownFrame(see, evidence.data);
  const culprit = own && (yield* placeOfHang(see, own, evidence.data));
  const found = hungDraft(evidence.data, culprit, evidence.id, yield* doingAt(see, evidence.data, own));
  yield* see.setState('critical', found.title ?? found.observation);
  yield* see.notify(found);
  return { outcome: 'found', summary: found.observation };
}

interface Doing {
  readonly mechanism: Mechanism;
  readonly what: string;
}

/**
 * What the line that doesn't return calls, when that alone may take so long: a regular expression, a synchronous API.
 * In a loop it may be quick each time, and the loop is what doesn't end.
 */
async function* doingAt(see: OperatorView, data: Hang, own: HangFrame | undefined): Step<Doing | undefined> {
  const frame = data.kind === 'javascript' ? own : undefined;
  const script = frame && (yield* textOf(see, frame.url));
  if (!frame || !script || isInLoop(script.text, frame.line - 1, frame.column - 1)) return undefined;
  const doing = fromLine(callsOnLine(script.text, frame.line - 1));
  return doing && LONG_BY_ITSELF.test(BLOCK_CLASS[doing.mechanism]) ? doing : undefined;
}

const LONG_BY_ITSELF = /^loop\.block\.(regexp|sync-api|serialization)$/;

function hungDraft(
  data: Hang,
  culprit: CodeLocation | undefined,
  id: string,
  doing: Doing | undefined,
): NotificationDraft {
  const where = culprit ? nameOf(culprit) : (data.native?.summary ?? 'native code');
  const starving = data.kind === 'microtasks' || data.kind === 'immediates';
  const locals = data.locals.map(local => `\`${local.name}\` is ${local.description}`).join(', ');
  return {
    anomalyType: starving ? 'starved-loop' : 'hung-loop',
    faultClass: starving ? 'loop.starvation' : doing ? BLOCK_CLASS[doing.mechanism] : 'loop.hung',
    severity: 'critical',
    title: `The event loop ${starving ? 'is starved' : 'hangs'} in ${where}${doing ? `: ${DOING[doing.mechanism]} (\`${doing.what}\`)` : ''}`,
    context: locals ? `At that moment ${locals}.` : 'Caught by interrupting the running code once.',
    observation: `The event loop did not turn within ${sayMs(data.loopTurnMs)}: ${HUNG_IN[data.kind]} ${where}.`,
    ...(culprit ? { culprit } : {}),
    fix: starving
      ? 'Let the loop turn between the steps: continue with setImmediate or a timer instead of a microtask or nextTick, and only when there is work.'
      : doing
        ? FIX[doing.mechanism]
        : 'Bound the loop or the input; long work belongs in a worker thread.',
    metrics: [{ name: 'loop did not turn for', value: data.loopTurnMs, unit: 'ms' }],
    evidenceIds: [id],
    mechanism: true,
    confidence: culprit && (data.agreement ?? 1) >= 0.5 ? 'high' : 'medium',
  };
}

const HUNG_IN: Readonly<Record<Hang['kind'], string>> = {
  turns: 'it turns',
  javascript: 'one call does not return,',
  microtasks: 'microtasks keep adding more of themselves in',
  immediates: 'it does nothing but run setImmediate callbacks of',
  native: 'a native call does not return,',
};

/** The moment's stack where the second witness agrees with it, else what that witness saw most. */
async function* ownFrame(see: OperatorView, data: Hang): Step<HangFrame | undefined> {
  const [stack] = yield* ownFrames(see, zeroBased(data.stack));
  const [hot] = yield* ownFrames(see, zeroBased(data.hot));
  const packaged = [...data.stack, ...data.hot].find(frame => packageOf(frame.url));
  const [first, second] = (data.agreement ?? 1) >= LEAST_AGREEMENT ? [stack, hot] : [hot, stack];
  return first?.frame ?? second?.frame ?? packaged;
}

/** The witnesses agree when so much of what one saw is what the other did. */
const LEAST_AGREEMENT = 0.3;

const zeroBased = (frames: readonly HangFrame[]) =>
  frames.map(frame => ({ url: frame.url, line: frame.line - 1, column: frame.column - 1, frame }));

async function* placeOfHang(see: OperatorView, frame: HangFrame, data: Hang): Step<CodeLocation> {
  const via = data.stack.map(each => each.function || '(anonymous)').reverse();
  const script = yield* textOf(see, frame.url);
  const spot = { scriptId: '', url: frame.url, line: frame.line - 1, column: frame.column - 1 };
  return locate(script, { ...spot, functionName: frame.function }, see.target.cwd, via.length > 1 ? via : undefined);
}
