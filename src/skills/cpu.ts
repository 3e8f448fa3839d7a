import { sayCount, sayMs, sayShare } from '../base/say.js';
import { recompiled, totalUnder } from '../cpu/owned.js';
import { byPackage } from '../cpu/weights.js';
import { isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { NotificationDraft } from '../model/notification.js';
import { type Conclusion, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import { explainOwn, explainWork, findBlock, ownShare } from './blocking.js';
import type { Cause } from './cause.js';
import { FIX } from './fixes.js';
import { nameOf } from './place.js';
import { hotLines, packages, topFunctions } from './profile-queries.js';
import { quadratic } from './quadratic.js';
import { dearCallMs, isCalculated, isProof, isRepeated } from './repeated.js';
import { reread } from './reread.js';
import { builtAnew } from './schema-work.js';
import { side } from './side-work.js';
import { polling } from './spin.js';
import {
  baselineOf,
  type CallLength,
  type Counted,
  countArguments,
  firstProfile,
  QUIET_SHARE,
  type Study,
  study,
} from './study.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;

/** A hot path must take this share of a core before anybody should change it. */
const HOT_SHARE = 0.15;
/** Proof that it is avoidable makes this share of a core enough. */
const SIDE_OF_CORE = 0.08;
/** Repeated work below the usual share counts when it is this much of all that the process does. */
const REPEATED_OF_WORK = 0.25;
/** Scripts with the same function in one window; a service that compiles at start shows none or one. */
const RECOMPILED = 5;
/** Saturation: no time left in either window, and everything else waits. */
const SATURATED_ELU = 0.97;
const SATURATED_DELAY_MS = 20;
/** A thread that waits for a core this long looks saturated whatever it does. */
const CROWDED_SHARE = 0.3;

export const cpu = defineSkill({
  id: 'cpu',
  title: 'CPU',
  description: 'Where the cpu goes: functions, packages, logging, exceptions, work done again and again',
  scope:
    'What uses the cpu and whether that work is avoidable. Single long calls that block the loop are the event-loop skill’s.',
  words: ['cpu', 'hot', 'busy', 'load', 'slow', 'spin', 'spinning', 'profile', 'throughput', 'core', 'cores', '100%'],
  needs: { vitals },
  snapshot: given =>
    given.vitals && {
      seconds: given.vitals.seconds,
      cpuPercent: given.vitals.cpuPercent,
      mainThreadPercent: given.vitals.mainThreadPercent ?? null,
      elu: given.vitals.elu,
      gcShare: given.vitals.gcShare,
      runQueueShare: given.vitals.runQueueShare ?? null,
    },
  rules: [],
  playbook,
  queries: [topFunctions, packages, hotLines],
  prompt:
    'Busy and concentrated in one function is not a fault: many healthy services are. It is one when the work is avoidable: the same arguments again, the same text compiled again, logging or exceptions in place of work.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const baseline = yield* baselineOf(see);
  if (!isUsable(baseline))
    return { outcome: 'inconclusive', summary: `The cpu could not be read: ${baseline.reason ?? 'no reason'}.` };
  const data = baseline.data;
  // A thread that mostly waits for a core would use more of one if it could.
  const percent = (data.mainThreadPercent ?? data.cpuPercent) / ownShare(data);
  if (percent < 100 * QUIET_SHARE && !see.urgent) return quiet(data);
  const studied = yield* study(see, firstProfile(data));
  if (typeof studied === 'string') return { outcome: 'inconclusive', summary: `The cpu was not profiled: ${studied}` };
  const blocked = yield* findBlock(see, studied, data);
  if (typeof blocked !== 'string')
    return {
      outcome: 'healthy',
      summary: `${usage(data)} Single long calls take it, which the event-loop operator reports.`,
    };
  const explained = yield* explainWork(see, studied);
  const own = explained?.cause.blame.by === 'leaf' ? yield* explainOwn(see, studied) : undefined;
  const found =
    (yield* polling(see, studied)) ??
    (explained && ((yield* side(see, explained.studied, explained.cause)) ?? (yield* hot(see, explained, data)))) ??
    (own && (yield* hot(see, own, data)));
  if (!found) return { outcome: 'healthy', summary: `${usage(data)} ${breakdown(studied)}` };
  yield* see.setState(found.severity === 'critical' ? 'critical' : 'warning', found.title ?? found.observation);
  yield* see.notify({ ...found, evidenceIds: [baseline.id, ...found.evidenceIds] });
  return { outcome: 'found', summary: found.observation };
}

const usage = (data: Vitals): string => `The process uses ${data.cpuPercent.toFixed(0)} % of a core.`;
const quiet = (data: Vitals): Conclusion => ({ outcome: 'healthy', summary: usage(data) });

function breakdown({ tree, work }: Study): string {
  const [first] = byPackage(tree, work);
  return first
    ? `Most self time is in ${first.name} (${sayShare(first.selfUs / Math.max(1, work.allUs))} of the work).`
    : 'Nothing ran while it was profiled.';
}

interface Explained {
  readonly studied: Study;
  readonly cause: Cause;
}

/** A hot path with proof that its work is avoidable, or a saturated process; undefined for honest work. */
async function* hot(
  see: OperatorView,
  { studied, cause }: Explained,
  data: Vitals,
): Step<NotificationDraft | undefined> {
  const times = recompiled(studied.tree, cause.blame.frameIndex);
  const share = totalUnder(studied.tree, studied.work, cause.blame.frameIndex) / Math.max(1, studied.tree.durationUs);
  if (times >= RECOMPILED && share >= SIDE_OF_CORE) return recompiledDraft(studied, cause, times, share);
  if (share < SIDE_OF_CORE) return undefined;
  const grown = yield* quadratic(see, studied, cause);
  if (grown) return grown;
  for (const depth of ['outer', 'all'] as const) {
    const counted = yield* countArguments(see, studied, cause, depth);
    const again = counted && avoidable(counted, studied, cause, data);
    if (again) return repeatedDraft(studied, cause, counted, again);
    const built = builtAnew(studied, cause, counted, totalUnder(studied.tree, studied.work, cause.blame.frameIndex));
    if (built) return built;
    const read = reread(studied, cause, counted);
    if (read) return read;
  }
  const saturated =
    share >= HOT_SHARE &&
    data.elu >= SATURATED_ELU &&
    data.loopDelay.p50Ms >= SATURATED_DELAY_MS &&
    (data.runQueueShare ?? 0) < CROWDED_SHARE;
  return saturated ? saturatedDraft(studied, cause, data) : undefined;
}

/** Work done again: the calls that prove it, and the outermost ones that come with each of them. */
interface Again {
  readonly proof: CallLength;
  readonly whole: CallLength;
  /** Share of a core that the whole takes. */
  readonly share: number;
}

/**
 * The part of the profile's time that the work really ran: samples also pass while the thread waits for a core, and the
 * profiler itself costs. By the cpu of the baseline, which was taken without it.
 */
function ranShare({ tree, work }: Study, { mainThreadPercent, cpuPercent }: Vitals): number {
  const seen = work.allUs / Math.max(1, tree.durationUs);
  return seen > 0 ? Math.min(1, (mainThreadPercent ?? cpuPercent) / 100 / seen) : 1;
}

/** The largest piece of avoidable work among the counted functions, when it is worth a word. */
function avoidable({ lengths }: Counted, studied: Study, cause: Cause, data: Vitals): Again | undefined {
  const ran = ranShare(studied, data);
  const worst = lengths
    .filter(length => isRepeated(length) && (isProof(length.count.example ?? '', cause) || isCalculated(length, cause)))
    .map(proof => {
      const whole = wholeOf(proof, lengths, cause);
      const msPerCall = (whole.msPerCall ?? 0) * ran;
      return { proof, whole: { ...whole, msPerCall }, share: (msPerCall * whole.count.perSecond) / 1000 };
    })
    .sort((a, b) => b.share - a.share)[0];
  if (!worst || (worst.whole.msPerCall ?? 0) < dearCallMs(worst.proof)) return undefined;
  const ofWork = ((worst.share / ran) * studied.tree.durationUs) / Math.max(1, studied.work.allUs);
  const ofOwnCore = worst.share / ownShare(data);
  const enough = ofOwnCore >= HOT_SHARE || (ofOwnCore >= SIDE_OF_CORE && ofWork >= REPEATED_OF_WORK);
  return enough ? worst : undefined;
}

/** Rates of functions that call each other once differ by the calls between two counters' starts. */
const SAME_RATE = 0.15;

/**
 * What is repeated is rarely the inner function alone: a compiler parses the same text and then generates the same code
 * from it. Its callers in a package that take nothing of their own and run as often are repeated with it.
 */
function wholeOf(proof: CallLength, lengths: readonly CallLength[], cause: Cause): CallLength {
  const rate = proof.count.perSecond;
  const along = lengths.filter(
    length =>
      length.frame !== cause.blame.frame &&
      length.frame.package === proof.frame.package &&
      ((length.count.compared ?? 0) === 0 || isRepeated(length)) &&
      Math.abs(length.count.perSecond - rate) <= SAME_RATE * rate,
  );
  return [proof, ...along].sort((a, b) => (b.msPerCall ?? 0) - (a.msPerCall ?? 0))[0] ?? proof;
}

function repeatedDraft(
  { evidence }: Study,
  cause: Cause,
  counted: Counted,
  { proof, whole, share }: Again,
): NotificationDraft {
  const where = nameOf(cause.place);
  const { count } = proof;
  const { msPerCall = 0 } = whole;
  const what = nameOfCall(whole);
  const isItself = whole.frame === cause.blame.frame;
  return {
    anomalyType: 'repeated-work',
    faultClass: 'cpu.hot',
    severity: share >= 0.5 ? 'critical' : 'warning',
    title: isItself
      ? `${where} calculates what it had calculated before on every call and takes ${sayShare(share)} of a core`
      : `${where} does the same work again on every call: ${what} takes ${sayShare(share)} of a core for results it had before`,
    context: `Arguments were compared inside the target for ${sayMs(count.seconds * 1000)}; none of their content was read out.`,
    observation: `${count.repeated ?? 0} of ${count.compared ?? 0} calls of ${nameOfCall(proof)} had arguments identical to an earlier call${count.example ? ` (${count.example})` : ''}; ${sayCount(whole.count.perSecond)} calls a second of ${what}, ${sayMs(msPerCall)} each, take ${sayShare(share)} of a core.`,
    culprit: cause.place,
    ...(cause.entry ? { related: [cause.entry] } : {}),
    fix:
      cause.mechanism === 'compute'
        ? 'Do it once and keep the result: at start, or in a bounded cache by its arguments.'
        : FIX[cause.mechanism],
    metrics: [
      { name: 'repeated calls', value: count.repeated ?? 0, unit: 'calls' },
      { name: 'compared calls', value: count.compared ?? 0, unit: 'calls' },
      { name: 'calls', value: whole.count.perSecond, unit: '/s' },
      { name: 'one call', value: msPerCall, unit: 'ms' },
      { name: 'share of a core', value: share * 100, unit: '%' },
      { name: 'window', value: count.seconds * 1000, unit: 'ms' },
    ],
    evidenceIds: [evidence.id, counted.evidence.id],
    mechanism: true,
    confidence: 'high',
  };
}

const nameOfCall = ({ frame }: CallLength): string => (frame.functionName ? `\`${frame.functionName}\`` : 'it');

function recompiledDraft({ evidence, tree }: Study, cause: Cause, times: number, share: number): NotificationDraft {
  const where = nameOf(cause.place);
  return {
    anomalyType: 'repeated-compilation',
    faultClass: 'cpu.hot',
    severity: share >= 0.5 ? 'critical' : 'warning',
    title: `${where} compiles the same code again and again and takes ${sayShare(share)} of a core`,
    context: `CPU profile of ${sayMs(tree.durationUs / 1000)}.`,
    observation: `The same function was compiled from text into ${times} different scripts within the window; the path under ${where} takes ${sayShare(share)} of a core.`,
    hypothesis: 'A template or schema is compiled for each call instead of once.',
    culprit: cause.place,
    ...(cause.entry ? { related: [cause.entry] } : {}),
    fix: FIX.compilation,
    metrics: [
      { name: 'scripts of the same function', value: times, unit: 'scripts' },
      { name: 'share of a core', value: share * 100, unit: '%' },
      { name: 'window', value: tree.durationUs / 1000, unit: 'ms' },
    ],
    evidenceIds: [evidence.id],
    mechanism: true,
    confidence: 'high',
  };
}

function saturatedDraft({ evidence, tree, work }: Study, cause: Cause, data: Vitals): NotificationDraft {
  const where = nameOf(cause.place);
  const share = cause.blame.share;
  return {
    anomalyType: 'saturation',
    faultClass: 'cpu.hot',
    severity: 'warning',
    title: `The main thread is saturated; most of its work is in ${where}`,
    context: `CPU profile of ${sayMs(tree.durationUs / 1000)} after a baseline without it.`,
    observation: `Utilization of the event loop is ${sayShare(data.elu)} and half of its turns are ${sayMs(data.loopDelay.p50Ms)} late or more. ${sayShare(share)} of the work is ${where}.`,
    hypothesis: 'There is more work than one thread can do; no proof was found that the work is avoidable.',
    culprit: cause.place,
    fix: 'Make this path cheaper, cache its results, or spread the load over more processes or worker threads.',
    metrics: [
      { name: 'utilization', value: data.elu * 100, unit: '%' },
      { name: 'loop delay p50', value: data.loopDelay.p50Ms, unit: 'ms' },
      { name: 'share of the work', value: share * 100, unit: '%' },
      { name: 'window', value: tree.durationUs / 1000, unit: 'ms' },
      { name: 'work', value: work.allUs / 1000, unit: 'ms' },
    ],
    evidenceIds: [evidence.id],
    confidence: 'medium',
  };
}
