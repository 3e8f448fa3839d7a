import { displayPath } from '../../base/script-url.js';
import type { Bounds } from '../../heap/growth/bounds.js';
import type { GrownHolder, SaidPath, ScriptPlace } from '../../heap/index.js';
import { boundsOfElements, boundsOfText } from '../../skills/growth-bounds.js';
import { replacementsOf } from '../../source/emptying.js';
import { fillingLoop } from '../../source/filling.js';
import { declaration } from './declared.js';
import type { ScriptFiles } from './script-files.js';
import { trimmedAt } from './trimmed.js';

/** A line that takes entries out, or checks how many there are: what grew may be a cache that still fills. */
export interface BoundedAt {
  readonly file: string;
  readonly line: number;
}

export type JudgedHolder = GrownHolder & {
  readonly bound?: BoundedAt;
  /** It grew less and less from file to file. */
  readonly levels?: true;
  /** The loop that fills it, which comes to an end and has been on its way since before the first file. */
  readonly filling?: BoundedAt;
};

/** True for what nothing known keeps from growing: the others may be caches that fill. */
const isOpen = ({ bound, levels, filling, slots, keys }: JudgedHolder): boolean =>
  !bound && !levels && !filling && !slots && !keys;

/**
 * Steady growth keeps its rate (on a busy machine, from six seconds to the next, 0.4 of it); what fills by chance keys at a
 * fifth of its first rate is four fifths full.
 */
const LEVELLED = 1 / 5;
/** A limit that was passed by this much does not hold. */
const PASSED = 1.2;

/** What is judged beside the growth itself: the program's files, and when the heapSnapshots were taken where that is known. */
export interface Judging {
  readonly files: ScriptFiles;
  readonly cwd: string;
  readonly paths: readonly string[];
  /** Functions one call of which lasts, as V8 has their places. */
  readonly waiting: readonly ScriptPlace[];
}

/** Adds where the code bounds what grew, and whether it levels off. What does neither comes first. */
export function judged(grown: readonly GrownHolder[], { files, cwd, paths, waiting }: Judging): JudgedHolder[] {
  const spans = spansOf(paths);
  const all = grown.map((holder): JudgedHolder => {
    const bound = boundOf(holder, files, cwd);
    const filling = bound ? undefined : fillingOf(holder, files, { cwd, waiting });
    const levels = isLevelling(holder.history, spans);
    return { ...holder, ...(bound && { bound }), ...(filling && { filling }), ...(levels && { levels }) };
  });
  return [...all.filter(isOpen), ...all.filter(one => !isOpen(one))];
}

/** Seconds between the files by V8's own names for them; without those they are taken for equal. */
function spansOf(paths: readonly string[]): number[] {
  const times = paths.map(timeOf);
  const spans = times.slice(1).map((time, i) => time - times[i]!);
  return spans.every(span => span > 0) ? spans : spans.map(() => 1);
}

/** `Heap.20261122.125553.4465.0.001.heapsnapshot` */
function timeOf(path: string): number {
  const [, year, month, day, hour, minute, second] =
    /Heap\.(\d{4})(\d\d)(\d\d)\.(\d\d)(\d\d)(\d\d)\.[^/\\]*$/.exec(path)?.map(Number) ?? [];
  return Date.UTC(year ?? Number.NaN, (month ?? 1) - 1, day, hour, minute, second) / 1000;
}

function isLevelling(history: readonly number[], spans: readonly number[]): boolean {
  const rates = history.slice(1).map((bytes, i) => (bytes - history[i]!) / (spans[i] ?? 1));
  return rates.length > 1 && rates.at(-1)! <= LEVELLED * rates[0]!;
}

/** What is loaded once grows until all of it is there. */
function fillingOf(
  { path }: GrownHolder,
  files: ScriptFiles,
  { cwd, waiting }: Pick<Judging, 'cwd' | 'waiting'>,
): BoundedAt | undefined {
  const [named] = namesOf(path, files);
  for (const { url, line, column } of named ? waiting : []) {
    const text = url === named?.url ? files.script(url)?.text : undefined;
    const loop = text && named && fillingLoop(text, named.name, { line0: line - 1, column0: column - 1 });
    if (!loop) continue;
    const place = files.original({ url, line: loop.line0 + 1, column: loop.column0 + 1 });
    return { file: displayPath(place.url, cwd), line: place.line };
  }
  return undefined;
}

function boundOf(holder: GrownHolder, files: ScriptFiles, cwd: string): BoundedAt | undefined {
  const [nearest, ...outer] = namesOf(holder.path, files);
  const isInside = growsInside(holder);
  for (const named of [...(nearest ? [nearest] : []), ...fieldsOf(holder), ...outer]) {
    const text = files.script(named.url)?.text;
    const bounds = text === undefined || text.length > LONGEST_TEXT ? {} : boundsIn(text, named.name, isInside);
    const isOuter = outer.includes(named);
    // A limit of how many there are of what is around it says nothing of the holder; dropping all of it does.
    const direct = isOuter ? droppedIn(bounds) : boundedIn(bounds, holder.newChildren);
    const line0 =
      direct ??
      (text === undefined ? undefined : replacedAt(text, holder.path, named)) ??
      (isOuter || text === undefined || text.length > LONGEST_TEXT ? undefined : trimmedAt(files, named, isInside));
    if (line0 === undefined) continue;
    const { url, line } = files.original({ url: named.url, line: line0 + 1, column: 1 });
    return { file: displayPath(url, cwd), line };
  }
  return undefined;
}

/** It is dropped together with what it is a field of: `window = new Window(now)`. */
function replacedAt(text: string, { variable, inner }: SaidPath, { name }: NamedIn): number | undefined {
  const holders = [inner?.variable, variable].filter(one => one !== undefined && one !== name);
  const found = holders.flatMap(holder => replacementsOf(text, holder ?? '', name));
  return found.find(({ byTimer, byFeeder }) => byTimer || byFeeder)?.line0;
}

/** Longer bundles are not searched for a second sentence about each holder. */
const LONGEST_TEXT = 4_000_000;

interface NamedIn {
  readonly url: string;
  readonly name: string;
}

/** By what names the holder and what is around it are known, and in which files: the nearest first. */
function namesOf({ field, inner, variable, module, steps }: SaidPath, files: ScriptFiles): NamedIn[] {
  const names: NamedIn[] = [];
  if (field) names.push({ url: field.near.url, name: field.name });
  if (inner) names.push({ url: inner.near.url, name: inner.variable });
  if (variable === undefined || module === undefined) return names;
  const last = names.length === 0 ? /^[.](#?[\w$]+)$/.exec(steps.at(-1)?.via ?? '')?.[1] : undefined;
  const { url } = declaration(files, { url: module, variable }) ?? { url: module };
  return [...names, { url, name: last ?? variable }];
}

/** A class that counts what it holds says so of its fields, or of itself where it extends a Map. */
const fieldsOf = ({ instance }: GrownHolder): NamedIn[] =>
  instance ? [...instance.fields, ITSELF].map(name => ({ url: instance.near.url, name })) : [];

const ITSELF = 'this';

/** What is new hangs below entries that were there before: how many entries there may be says nothing of those. */
function growsInside({ children, grownBytes }: GrownHolder): boolean {
  return children.reduce((sum, { retainedBytes }) => sum + retainedBytes, 0) < grownBytes * DIRECT;
}

const DIRECT = 0.3;

/** What takes entries out of an instance is a method that it inherits. */
function boundsIn(text: string, name: string, isInside: boolean): Bounds {
  if (isInside) return boundsOfElements(text, name);
  const bounds = boundsOfText(text, name);
  const line0 = name === ITSELF ? text.split('\n').findIndex(line => /super\.(?:delete|clear)\(/.test(line)) : -1;
  return line0 < 0 ? bounds : { ...bounds, removal: { line0 } };
}

function boundedIn(bounds: Bounds, added: number): number | undefined {
  const { sizeCheck, removal } = bounds;
  const { limit, each = 1 } = sizeCheck ?? {};
  if (limit !== undefined && limit > 1) return added <= limit * each * PASSED ? sizeCheck?.line0 : undefined;
  return sizeCheck && removal ? sizeCheck.line0 : droppedIn(bounds);
}

function droppedIn({ emptied, expiry }: Bounds): number | undefined {
  return emptied && (emptied.byTimer || emptied.byFeeder) ? emptied.line0 : expiry?.line0;
}
