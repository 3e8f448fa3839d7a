import { sayMs, sayShare } from '../base/say.js';
import { fromLine, lineShares } from '../cpu/mechanism.js';
import { totalUnder } from '../cpu/owned.js';
import { type Frame, frameAt } from '../cpu/tree.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callsOnLineOf } from '../source/calls.js';
import { type Lookup, lookups } from '../source/lookups.js';
import { retracings, type Walk } from '../source/retracing.js';
import { sameEachRound } from '../source/rounds.js';
import { sweptBy } from '../source/sweeping.js';
import { type Cause, READABLE_LINE } from './cause.js';
import { FIX } from './fixes.js';
import { type Inlined, inlinedInto } from './inlined.js';
import { locate, nameOf } from './place.js';
import { isHot } from './repeated.js';
import type { Study } from './study.js';

/** Work on all that was gathered, again and again for little. */
interface Quadratic {
  readonly how: 'copies' | 'sorts' | 'goes over' | 'sweeps' | 'searches' | 'repeats';
  readonly what: string;
  readonly code: string;
  readonly us: number;
  readonly place: CodeLocation;
}

/** Each piece costs a copy, a sort or a walk of all before it, or a timer's each tick does, and that takes a notable part of a core. */
export async function* quadratic(see: OperatorView, studied: Study, cause: Cause): Step<NotificationDraft | undefined> {
  const { cwd } = see.target;
  const found =
    gathered(studied, cause) ??
    swept(studied, cause) ??
    (isReadable(cause) ? byLines(studied, cause, cwd) : undefined) ??
    searchedInside(studied, cause, cwd, yield* inlinedInto(see, studied, cause));
  return found && isHot(studied, found.us) ? draft(studied, cause, found) : undefined;
}

/** A minified text has a single line. */
const byLines = (studied: Study, cause: Cause, cwd: string): Quadratic | undefined =>
  retraced(studied, cause, cwd) ?? searched(studied, cause, cwd) ?? repeated(cause);

function isReadable({ blame: { frame }, scripts }: Cause): boolean {
  return (scripts.get(frame.scriptId)?.line(frame.line).length ?? 0) <= READABLE_LINE;
}

function gathered({ tree, work }: Study, { growing, blame, place }: Cause): Quadratic | undefined {
  if (!growing) return undefined;
  const { how, at, frame, share } = growing;
  const us = how === 'copies' ? share * blame.ownedUs : totalUnder(tree, work, tree.frames.indexOf(frame));
  return { how, what: at.what, code: at.code, us, place };
}

/** The walks take this much of what the function itself does. */
const MOST = 0.5;

/** The blamed function goes over the list, a callback of it does, or one that its caller calls for each piece. */
function retraced({ tree, work }: Study, cause: Cause, cwd: string): Quadratic | undefined {
  const { users, scripts, blame } = cause;
  const script = scripts.get(blame.frame.scriptId);
  const [caller, frame] = [users.at(-2), users.at(-1)];
  if (!script || !frame || blame.by === 'leaf') return undefined;
  const above = caller?.scriptId === frame.scriptId ? caller : undefined;
  for (const [of, adder] of [[frame], [frame, above], [above]] as const) {
    const found = of && retracings(script.text, at(of), adder && at(adder));
    const walk = found && (of === frame ? busiest(found.walks, cause) : around(found.walks, frame));
    if (!found || !walk) continue;
    const us = totalUnder(tree, work, tree.frames.indexOf(of));
    const spot = { ...of, line: walk.line0, column: walk.column0 };
    const place = locate(script, spot, cwd, cause.place.via);
    return { how: 'goes over', what: found.what, code: walk.code, us, place };
  }
  return undefined;
}

/** A timer looks at every entry for those whose time is over. */
function swept({ tree, work }: Study, { users, scripts, place, blame }: Cause): Quadratic | undefined {
  const text = scripts.get(blame.frame.scriptId)?.text;
  // The function itself, or the one whose callback is blamed.
  for (const frame of users.slice(-2).reverse()) {
    const what = text === undefined || frame.scriptId !== blame.frame.scriptId ? undefined : sweptBy(text, at(frame));
    if (what === undefined) continue;
    return { how: 'sweeps', what, code: what, us: totalUnder(tree, work, tree.frames.indexOf(frame)), place };
  }
  return undefined;
}

/** A list is searched for one entry by its key: the blamed function does it on its busiest line, or is the condition. */
function searched(studied: Study, { blame, users, scripts, place }: Cause, cwd: string): Quadratic | undefined {
  const script = scripts.get(blame.frame.scriptId);
  if (!script || blame.frame.kind !== 'user') return undefined;
  const found = lookups(script.text, at(blame.frame)).map(each => {
    const outer = each.isAround ? users.at(-2) : blame.frame;
    return { each, outer, us: lookupUs(studied, each, blame.frame.scriptId, outer) };
  });
  const [most] = found.sort((a, b) => b.us - a.us);
  if (!most) return undefined;
  const { what, code, line0, column0 } = most.each;
  const spot = { ...(most.outer ?? blame.frame), line: line0, column: column0 };
  return { how: 'searches', what, code, us: most.us, place: locate(script, spot, cwd, place.via) };
}

/** A search in a function of another file that V8 inlined: its line is laid to the blamed one. */
function searchedInside(
  studied: Study,
  { blame, place }: Cause,
  cwd: string,
  inlined: Inlined | undefined,
): Quadratic | undefined {
  if (!inlined) return undefined;
  const { frame, script } = inlined;
  const found = lookups(script.text, at(frame)).map(each => ({
    each,
    us: lookupUs(studied, each, frame.scriptId, frame) + onLineUs(studied, blame.frame, each.line0),
  }));
  const [most] = found.sort((a, b) => b.us - a.us);
  if (!most) return undefined;
  const { what, code, line0, column0 } = most.each;
  const spot = { ...frame, line: line0, column: column0 };
  return { how: 'searches', what, code, us: most.us, place: locate(script, spot, cwd, place.via) };
}

/** Time of a search: on its line in the function that holds it, and in its condition where V8 did not inline that. */
function lookupUs(studied: Study, { line0, column0 }: Lookup, scriptId: string, outer: Frame | undefined): number {
  const { tree, work } = studied;
  let us = outer ? onLineUs(studied, outer, line0) : 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    const frame = frameAt(tree, node);
    const isCondition = frame.scriptId === scriptId && frame.line === line0 && frame.column > column0;
    if (isCondition && frame !== outer) us += work.selfUs[node] ?? 0;
  }
  return us;
}

/** Self time of a function on a 0-based line. */
function onLineUs({ tree, work }: Study, of: Frame, line0: number): number {
  let us = 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    const own = frameAt(tree, node) === of ? (work.selfUs[node] ?? 0) : 0;
    if (own > 0) for (const { line, share } of lineShares(tree, node)) us += line - 1 === line0 ? own * share : 0;
  }
  return us;
}

/** In each round of a loop the same is serialized or formatted once more. */
function repeated({ blame, owned, scripts, place, mechanism, mechanismShare }: Cause): Quadratic | undefined {
  const text = scripts.get(blame.frame.scriptId)?.text;
  const line = owned.lines[0]?.line ?? 0;
  if (text === undefined || line === 0 || mechanism === 'compute') return undefined;
  const calls = callsOnLineOf(text, line - 1, at(blame.frame)).filter(
    call => fromLine([call])?.mechanism === mechanism,
  );
  const what = calls.length === 1 && calls[0] ? sameEachRound(text, calls[0]) : undefined;
  return what === undefined
    ? undefined
    : { how: 'repeats', what, code: what, us: mechanismShare * blame.ownedUs, place };
}

const onLines = ({ lines }: Cause['owned'], from: number, to: number): number =>
  lines.reduce((sum, { line, us }) => sum + (line - 1 >= from && line - 1 <= to ? us : 0), 0);

const at = ({ line, column }: Frame) => ({ line0: line, column0: column });

/** The walk with most of the function's own time, when all of them take most of it. */
function busiest(walks: readonly Walk[], { owned }: Cause): Walk | undefined {
  const times = walks.map(walk => ({
    walk,
    us: onLines(owned, walk.line0, walk.endLine0),
  }));
  const all = times.reduce((sum, { us }) => sum + us, 0);
  const own = owned.lines.reduce((sum, { us }) => sum + us, 0);
  return own > 0 && all >= MOST * own ? times.sort((a, b) => b.us - a.us)[0]?.walk : undefined;
}

/** The walk that a callback belongs to. */
const around = (walks: readonly Walk[], { line }: Frame): Walk | undefined => walks.find(walk => isOn(walk, line));

const isOn = ({ line0, endLine0 }: Walk, line: number): boolean => line >= line0 && line <= endLine0;

function draft({ evidence, tree, work }: Study, { entry }: Cause, found: Quadratic): NotificationDraft {
  const { how, what, code, us, place } = found;
  const ofCore = us / tree.durationUs;
  const where = nameOf(place);
  return {
    anomalyType: 'quadratic-work',
    faultClass: 'cpu.hot',
    severity: ofCore >= 0.5 ? 'critical' : 'warning',
    title: `${where} ${SAYS[how](what)} and takes ${sayShare(ofCore)} of a core`,
    context: `CPU profile of ${sayMs(tree.durationUs / 1000)}, and the text of the function.`,
    observation: `${sayShare(us / work.allUs)} of all work is \`${code}\`: it ${SAYS[how](what).replace(/,$/, '')}.`,
    hypothesis: WHY[how] ?? GROWS,
    culprit: place,
    ...(entry ? { related: [entry] } : {}),
    fix: FIXES[how],
    metrics: [
      { name: 'share of a core', value: ofCore * 100, unit: '%' },
      { name: 'share of the work', value: (us / work.allUs) * 100, unit: '%' },
      { name: 'window', value: tree.durationUs / 1000, unit: 'ms' },
    ],
    evidenceIds: [evidence.id],
    mechanism: true,
    confidence: 'high',
  };
}

const SAYS: Readonly<Record<Quadratic['how'], (what: string) => string>> = {
  copies: what => `copies all of \`${what}\` for each new piece`,
  sorts: what => `sorts all of \`${what}\` for each new piece`,
  'goes over': what => `goes over all of \`${what}\` for each new piece`,
  sweeps: what => `goes over all of \`${what}\` at each tick of a timer`,
  searches: what => `searches all of \`${what}\` for one entry by its key, again and again,`,
  repeats: what => `does \`${what}\` anew in each round of a loop, with the same result,`,
};

const GROWS = 'The work of each piece grows with what is gathered: twice as much takes four times as long.';
const WHY: Readonly<Partial<Record<Quadratic['how'], string>>> = {
  sweeps: 'Nearly all entries are looked at in vain: what expires next is a few of them.',
  searches: 'Each search looks at half of the entries, and there are more and more of both.',
  repeats: 'Nothing of the round goes into it: it could be done once, before the loop.',
};

const FIXES: Readonly<Record<Quadratic['how'], string>> = {
  copies: FIX.copying,
  sorts:
    'Keep the list in order as it grows (insert where a binary search says, or use a heap), or sort once when it is read.',
  'goes over':
    'Keep what is asked for up to date instead (a running sum or count, a Map or Set by key), or work it out when it is read.',
  sweeps:
    'Sweep less often, or keep entries in the order in which they expire (a Map that is set anew on each touch) and stop at the first one that is fresh.',
  searches: 'Keep a Map by that key beside the list (or in its place) and look entries up in it.',
  repeats: 'Do it once before the loop and use the result in each round.',
};
