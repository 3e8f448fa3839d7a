import { isUserCode } from '../base/script-url.js';
import type { Exceptions, ThrowSite } from '../model/evidence/exceptions.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { catchAround, catchChained, isAsyncAt, isAwaited, isExplicitThrow, isRejectedAt } from './catching.js';
import { place, sourceOf } from './place.js';
import { common, type Draft, metric, round, say, sayPlace, throwerOf, window } from './throw-words.js';

/** A throw with its stack costs 5–50 µs; programs that steer by exceptions stay below this many. */
const STORM_PER_SECOND = 100;
/** At 20 µs each so many take a twelfth of a core and more. */
const COSTLY_PER_SECOND = 4000;
/** Once a second, in every burst, without a trace: not an accident. */
const SWALLOWED_PER_SECOND = 1;
const LASTING_BURSTS = 0.75;
/** Parsing what may not parse is how JavaScript asks: no fault. */
const PROBES = /^SyntaxError$/;
const PROBE_MESSAGES = /invalid url/i;

/** Caught ones at a counted rate, thrown in nearly every burst, and what Node rejected in every window. */
export function lasting(data: Exceptions): ThrowSite[] {
  const { caught, native } = data;
  const rejected = (native?.sites ?? []).filter(({ perSecond = 0 }) => perSecond >= SWALLOWED_PER_SECOND);
  if (caught === undefined || caught.bursts === 0 || caught.burstsWithThrows < caught.bursts * LASTING_BURSTS)
    return rejected;
  const thrown = caught.sites.filter(
    site =>
      (!site.uncaught || site.byNode !== undefined || isCaughtYet(site, data)) &&
      (site.perSecond ?? 0) >= SWALLOWED_PER_SECOND,
  );
  return [...thrown, ...rejected];
}

/** A rejection that really nobody handles would have ended a process that doesn't listen for it. */
const isCaughtYet = ({ rejection }: ThrowSite, { rejections }: Exceptions): boolean =>
  rejection && !rejections.listening;

/** A storm, or an error that vanishes; undefined for what is handled or merely asked. */
export async function* caughtDraft(see: OperatorView, site: ThrowSite, data: Exceptions): Step<Draft | undefined> {
  const perSecond = round(site.perSecond ?? 0);
  const explicit = yield* isThrownOnPurpose(see, site);
  const [swallower, putBack] = yield* swallowerOf(see, site);
  if (putBack && isPoisoned(site, data)) return yield* poisonDraft(see, site, putBack, data);
  // Elsewhere the line was counted, and it may well run without throwing.
  const storm = explicit && perSecond >= STORM_PER_SECOND && !(yield* staysInPackage(see, site));
  const probe = PROBES.test(site.type) || PROBE_MESSAGES.test(site.message) || isAsking(site);
  const failed = explicit || site.byNode !== undefined;
  if (!storm && (swallower === undefined || probe || !failed)) return undefined;
  const thrower = yield* throwerOf(see, site);
  const culprit = storm ? thrower : swallower;
  const where = culprit ? sayPlace(culprit) : 'an unknown place';
  const related = [thrower, swallower].filter(other => other !== undefined && other !== culprit) as CodeLocation[]; // filtered
  return {
    ...common(site, data),
    anomalyType: storm ? 'exception-storm' : 'swallowed-exceptions',
    faultClass: !storm
      ? 'exceptions.swallowed'
      : perSecond >= COSTLY_PER_SECOND
        ? 'cpu.exceptions'
        : 'exceptions.storm',
    title: storm
      ? `${say(site)} is thrown ${perSecond} times a second, at ${where}`
      : site.byNode
        ? `\`${site.byNode}\` fails again and again with ${say(site)} and nobody is told, in the catch at ${where}`
        : `${say(site)} is thrown again and again and ignored, in the catch at ${where}`,
    observation: `${say(site)} is thrown ${perSecond} times a second, in ${samplesWith(site, data)}${swallower ? '; the catch clause neither uses the error nor calls anything' : ''}.`,
    hypothesis: storm
      ? 'Exceptions steer the ordinary course of the program, or one condition fails for nearly every piece of work.'
      : 'Work fails and looks as if it had succeeded.',
    ...(culprit ? { culprit } : {}),
    ...(related.length > 0 ? { related } : {}),
    fix: storm
      ? 'Check the condition before the call and return a value instead of throwing.'
      : 'Handle the error: log it once with its cause, return a failure, or let it through.',
    metrics: sampleMetrics(perSecond, site, data),
    mechanism: true,
    confidence: storm ? 'high' : 'medium',
  };
}

/** How many samples there were, and in how many of them it was thrown. */
function samplesOf(site: ThrowSite, { caught, native }: Exceptions): { readonly all: number; readonly thrown: number } {
  return native?.sites.includes(site)
    ? { all: native.windows, thrown: native.windows }
    : { all: caught?.bursts ?? 0, thrown: caught?.burstsWithThrows ?? 0 };
}

const samplesWith = (site: ThrowSite, data: Exceptions): string => {
  const { all, thrown } = samplesOf(site, data);
  return `${thrown} of ${all} samples`;
};

const sampleMetrics = (perSecond: number, site: ThrowSite, data: Exceptions) => [
  metric('rate', perSecond, 'per second'),
  metric('samples', samplesOf(site, data).all, 'samples'),
  metric('samples with throws', samplesOf(site, data).thrown, 'samples'),
  window(data),
];

/** Work that fails so often, and nothing but it, is the same work again and again. */
const POISON_PER_SECOND = 20;
const POISON_SHARE = 0.8;

function isPoisoned(site: ThrowSite, { caught }: Exceptions): boolean {
  const share = site.count / Math.max(1, caught?.sampled ?? 0);
  return share >= POISON_SHARE && (caught?.perSecond ?? 0) * share >= POISON_PER_SECOND;
}

/** What fails is put back where it was taken from, and nobody is told. */
async function* poisonDraft(see: OperatorView, site: ThrowSite, culprit: CodeLocation, data: Exceptions): Step<Draft> {
  const thrower = yield* throwerOf(see, site);
  const perSecond = round(data.caught?.perSecond ?? 0);
  return {
    ...common(site, data),
    anomalyType: 'work-put-back',
    faultClass: 'exceptions.swallowed',
    title: `What fails with ${say(site)} is put back and taken again without an end, in the catch at ${sayPlace(culprit)}`,
    observation: `${say(site)} is thrown ${perSecond} times a second, in ${samplesWith(site, data)}; the catch clause puts the work back and tells nobody.`,
    hypothesis: 'Some pieces of work can never succeed: they go round, and take time and places from all others.',
    culprit,
    ...(thrower ? { related: [thrower] } : {}),
    fix: 'Count the attempts with the work; after a few put it aside (a dead letter list) and log the error. Wait longer before each attempt.',
    metrics: sampleMetrics(perSecond, site, data),
    mechanism: true,
    confidence: 'high',
  };
}

/** Node's ways to say that something isn't there, or is there already. */
const ABSENT = /^(ENOENT|ENOTDIR|EEXIST|ENOTEMPTY)\b/;
const WRITES = /(^|\.)(writeFile|appendFile|copyFile|cp|rename|mkdtemp|symlink|link|truncate|writev?|datasync|sync)$/;
/** The caller went away, or the program itself called it off. */
const LEFT = /premature close|\baborted\b|\b(ECONNRESET|EPIPE)\b/i;
const CALLED_OFF = /^(AbortError|TimeoutError|DOMException)$/;

/** Reading or removing what may not be there is how a program asks; writing where nothing can be written is not. */
const isAsking = ({ byNode, type, message }: ThrowSite): boolean =>
  byNode !== undefined &&
  ((ABSENT.test(message) && !WRITES.test(byNode)) || LEFT.test(message) || CALLED_OFF.test(type));

async function* isThrownOnPurpose(see: OperatorView, { frames: [top] }: ThrowSite): Step<boolean> {
  const script = top && (yield* sourceOf(see, top.scriptId));
  return (
    script !== undefined && top !== undefined && isExplicitThrow(script.text, { line0: top.line, column0: top.column })
  );
}

/** A package throws and catches by itself, as compilers to WebAssembly do to leave several calls at once: nobody else's affair. */
async function* staysInPackage(see: OperatorView, { frames }: ThrowSite): Step<boolean> {
  for (const frame of frames) {
    if (isUserCode(frame.url)) return false;
    const script = yield* sourceOf(see, frame.scriptId);
    if (!script) return false;
    if (catchAround(script.text, { line0: frame.line, column0: frame.column })) return true;
  }
  return false;
}

/** The catch clause that receives the throw: when it ignores it, and when it puts back what failed. */
async function* swallowerOf(
  see: OperatorView,
  { frames, byNode }: ThrowSite,
): Step<readonly [ignoring?: CodeLocation | undefined, puttingBack?: CodeLocation]> {
  let isRejection = byNode !== undefined;
  for (const frame of frames) {
    const script = yield* sourceOf(see, frame.scriptId);
    if (script === undefined) return [];
    const at = { line0: frame.line, column0: frame.column };
    const chained = isRejection ? catchChained(script.text, at) : undefined;
    // A rejection reaches a caller's catch clause only through its await.
    if (isRejection && !chained && !isAwaited(script.text, at)) return [];
    const caught = chained ?? catchAround(script.text, at);
    isRejection = isAsyncAt(script.text, at) || (frame === frames[0] && isRejectedAt(script.text, at));
    if (caught === undefined) continue;
    if (!(caught.ignores || caught.putsBack) || !isUserCode(frame.url)) return [];
    const clause = yield* place(see, { ...frame, line: caught.line, column: caught.column });
    return caught.putsBack ? [undefined, clause] : [clause];
  }
  return [];
}
