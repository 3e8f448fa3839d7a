/** What a reading holds that a sentence can be checked against. */
export interface Facts {
  /** Sorted ascending. */
  readonly numbers: Float64Array;
  /** Urls and file paths, with forward slashes and without scheme or query. */
  readonly files: ReadonlySet<string>;
  /** Lines per file, where the reading holds the file's text. */
  readonly lineCounts: ReadonlyMap<string, number>;
}

/** A profile's `samples` would confirm any number: of longer runs of numbers only their summary counts. */
const LONGEST_NUMBER_LIST = 200;
/** A reading with more facts than this is cut; enough for 20 000 profile nodes. */
const MOST_FACTS = 200_000;
const LONGEST_SCANNED_STRING = 4096;

interface Collected {
  readonly numbers: number[];
  readonly files: Set<string>;
  readonly lineCounts: Map<string, number>;
}

const known = new WeakMap<object, Facts>();

/** The facts in a JSON-like value; remembered per object, because readings are frozen. */
export function factsOf(value: unknown): Facts {
  if (typeof value !== 'object' || value === null) return gather(value);
  const earlier = known.get(value);
  if (earlier) return earlier;
  const facts = gather(value);
  known.set(value, facts);
  return facts;
}

function gather(value: unknown): Facts {
  const into: Collected = { numbers: [], files: new Set(), lineCounts: new Map() };
  const pending: unknown[] = [value];
  while (pending.length > 0 && into.numbers.length < MOST_FACTS) visit(pending.pop(), into, pending);
  return { ...into, numbers: Float64Array.from(into.numbers).sort() };
}

function visit(value: unknown, into: Collected, pending: unknown[]): void {
  if (typeof value === 'number') into.numbers.push(value);
  else if (typeof value === 'string') visitString(value, into);
  else if (Array.isArray(value)) visitList(value, into, pending);
  else if (typeof value === 'object' && value !== null) visitRecord(value as Record<string, unknown>, into, pending);
}

function visitList(list: readonly unknown[], into: Collected, pending: unknown[]): void {
  into.numbers.push(list.length);
  if (list.length <= LONGEST_NUMBER_LIST || typeof list[0] !== 'number') {
    for (const item of list) pending.push(item);
    return;
  }
  const numbers = list.filter(item => typeof item === 'number');
  const sum = numbers.reduce((total, item) => total + item, 0);
  into.numbers.push(sum, sum / numbers.length, Math.min(...numbers.slice(0, 10_000)), numbers.at(-1) ?? 0);
}

function visitRecord(record: Record<string, unknown>, into: Collected, pending: unknown[]): void {
  const { url, text, sourceMap } = record;
  if (typeof url === 'string' && typeof text === 'string') into.lineCounts.set(filePath(url), text.split('\n').length);
  if (typeof sourceMap === 'string') visitSourceMap(sourceMap, into);
  for (const [key, item] of Object.entries(record)) {
    if (key !== 'text' && key !== 'sourceMap') pending.push(item);
    else if (typeof item === 'string' && item.length <= LONGEST_SCANNED_STRING) pending.push(item);
    visitString(key, into);
  }
  // V8 counts lines from 0, people from 1.
  const { lineNumber } = record;
  if (typeof lineNumber === 'number') into.numbers.push(lineNumber + 1);
}

function visitSourceMap(text: string, into: Collected): void {
  const map = parseMap(text);
  map?.sources?.forEach((source, at) => {
    const path = filePath(`${map.sourceRoot ?? ''}${source}`);
    into.files.add(path);
    const content = map.sourcesContent?.[at];
    if (typeof content === 'string') into.lineCounts.set(path, content.split('\n').length);
    // Loaders that compile on the fly run a script under the name of its source: the script's lines are not the source's.
    else for (const known of into.lineCounts.keys()) if (known.endsWith(path)) into.lineCounts.delete(known);
  });
}

interface SourceMapText {
  readonly sourceRoot?: string;
  readonly sources?: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}

function parseMap(text: string): SourceMapText | undefined {
  try {
    // Only the three fields are read, each behind a check.
    return JSON.parse(text) as SourceMapText;
  } catch {
    return undefined;
  }
}

const FILE = /(?:[\w@.~+$-]*\/)+[\w@.~+$ -]+|[\w@.$-]+\.[cm]?[jt]sx?\b/g;

/** "1 556" and "1,556" as sentences write them. */
const GROUPED = /\d{1,3}(?:[,_ \u00a0\u2009\u202f]\d{3})+(?!\d)(?:\.\d+)?/g;

function visitString(text: string, into: Collected): void {
  const seen = text.slice(0, LONGEST_SCANNED_STRING);
  for (const match of seen.matchAll(/\d+(?:\.\d+)?/g)) into.numbers.push(Number(match[0]));
  for (const match of seen.matchAll(GROUPED)) into.numbers.push(Number(match[0].replace(/[^\d.]/g, '')));
  for (const match of seen.matchAll(FILE)) into.files.add(filePath(match[0]));
}

/** One spelling for `file:///app/a.js?x`, `/app/a.js:10` and `app\a.js`. */
export function filePath(text: string): string {
  return text
    .replaceAll('\\', '/')
    .replace(/^[a-z][a-z+.-]*:(?:\/\/)?/i, '')
    .replace(/[?#].*$/, '')
    .replace(/(?::\d+)+$/, '')
    .replace(/(?:\.{0,2}\/)+/g, match => (match.length > 1 ? '/' : match));
}

/** True when a number of the reading lies within the range, ends included. */
export function hasNumberIn(facts: Facts, low: number, high: number): boolean {
  let from = 0;
  let to = facts.numbers.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (facts.numbers[middle]! < low) from = middle + 1;
    else to = middle;
  }
  return from < facts.numbers.length && facts.numbers[from]! <= high;
}

/** The same file under a longer or shorter path: `src/a.js` is `/app/src/a.js`, and not `/app/src/aa.js`. */
export function sameFile(one: string, other: string): boolean {
  const [a, b] = [filePath(one), filePath(other)];
  return a === b || a.endsWith(`/${b.replace(/^\//, '')}`) || b.endsWith(`/${a.replace(/^\//, '')}`);
}
