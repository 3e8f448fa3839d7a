/** What a quoted number measures; decides under which other scales the evidence may hold it. */
export type Dimension = 'bytes' | 'time' | 'share' | 'plain';

/** A number as a sentence says it: its value in base units (bytes, milliseconds, percent, or as it stands). */
export interface QuotedNumber {
  readonly text: string;
  readonly value: number;
  readonly dimension: Dimension;
  /** Half of the last digit said, or more where the sentence says "about", in base units. */
  readonly tolerance: number;
  /** Said per second, minute or hour: the evidence may count over another window. */
  readonly rate: boolean;
}

const KILO = 1000;
const KIBI = 1024;

/** Base units: bytes (decimal), milliseconds, percent. */
const UNITS: Record<string, readonly [Dimension, number]> = {
  b: ['bytes', 1],
  byte: ['bytes', 1],
  bytes: ['bytes', 1],
  kb: ['bytes', KILO],
  kib: ['bytes', KIBI],
  mb: ['bytes', KILO ** 2],
  mib: ['bytes', KIBI ** 2],
  gb: ['bytes', KILO ** 3],
  gib: ['bytes', KIBI ** 3],
  ns: ['time', 1e-6],
  µs: ['time', 1e-3],
  μs: ['time', 1e-3],
  us: ['time', 1e-3],
  ms: ['time', 1],
  milliseconds: ['time', 1],
  s: ['time', 1000],
  sec: ['time', 1000],
  second: ['time', 1000],
  seconds: ['time', 1000],
  min: ['time', 60_000],
  minute: ['time', 60_000],
  minutes: ['time', 60_000],
  h: ['time', 3_600_000],
  hour: ['time', 3_600_000],
  hours: ['time', 3_600_000],
  '%': ['share', 1],
  percent: ['share', 1],
  k: ['plain', 1e3],
  thousand: ['plain', 1e3],
  m: ['plain', 1e6],
  million: ['plain', 1e6],
};

/** Places where digits name something instead of counting it: code, paths, urls, versions, clock times, names. */
const NAMES: readonly RegExp[] = [
  /`[^`]*`/g,
  /"[^"]*"/g,
  /\b[a-z][a-z+.-]*:\/\/\S+/gi,
  /(?<=^|[\s(])\.{0,2}\/[\w@.~/-]+(?::\d+)*/g,
  /(?:[\w@.~-]+\/)+[\w@-]+\.[a-z]\w*(?::\d+)*/gi,
  /\bHTTP\/\d[\d.]*/g,
  /\b[\w$.-]+\.(?:[cm]?[jt]sx?|json|node|map|log):?\d*(?::\d+)?/g,
  /\b\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?\b/g,
  /\b\d{1,2}:\d\d(?::\d\d)?\b/g,
  /\b(?:lines?|port|pid|fd|status|HTTP|node|column|signal|worker|errno)\s+v?#?\d[\d.]*/gi,
  /\bv?\d+\.\d+\.\d+[\w.-]*/g,
  /[\w$.]*[a-z_$-]\d+[\w$]*/gi,
  /\b\d+xx\b/gi,
  /:\d+\b/g,
];

const UNIT = Object.keys(UNITS)
  .sort((a, b) => b.length - a.length)
  .join('|');
const NUMBER = new RegExp(
  `(?<![\\w.])(-?\\d{1,3}(?:[,_ \\u00a0\\u2009\\u202f]\\d{3})+(?!\\d)(?:\\.\\d+)?|-?\\d+(?:\\.\\d+)?)(?:\\s?(${UNIT})(?![\\w]))?(\\s?(?:\\/|per\\s|an?\\s|each\\s|every\\s)\\s?(?:s|sec|second|min|minute|h|hour)\\b)?`,
  'gi',
);
const ABOUT =
  /(?:about|around|roughly|nearly|almost|over|under|more than|less than|at least|at most|up to|some|~|≈|<|>|≥|≤)\s*$/i;
/** "About 500" is true of 523 and not of 700. */
const ABOUT_SHARE = 0.1;
/** Rounding twice (evidence, then sentence) stays below this: by the number of digits that are said. */
const ROUNDING_SHARES = [0.01, 0.01, 0.01, 0.01, 0.002, 0.0005] as const;

/**
 * Every number that a sentence states as a measurement; numbers within names, code and quotations are left out. What a
 * model says is held to its digits (`exact`); rules round what they computed, sometimes twice.
 */
export function quotedNumbers(text: string, exact = false): QuotedNumber[] {
  const plain = NAMES.reduce((rest, name) => rest.replace(name, match => '_'.repeat(match.length)), text);
  return [...plain.matchAll(NUMBER)].map(match => quoted(match, plain.slice(0, match.index), exact));
}

function quoted(match: RegExpMatchArray, before: string, exact: boolean): QuotedNumber {
  const [text, digits = '', unit, per] = match;
  const [dimension, scale] = UNITS[unit?.toLowerCase() ?? ''] ?? (['plain', 1] as const);
  const bare = digits.replace(/[,_\s]/g, '');
  const value = Number(bare) * scale;
  const decimals = bare.split('.')[1]?.length ?? 0;
  const share = ABOUT.test(before) ? ABOUT_SHARE : roundingShare(exact ? bare : '');
  const tolerance = Math.max((scale * 10 ** -decimals) / 2, Math.abs(value) * share);
  return { text: text.trim(), value, dimension, tolerance, rate: per !== undefined };
}

/** "987654" is no rounding of 990000: whoever says six digits has read six. */
function roundingShare(bare: string): number {
  const said = bare
    .replace(/^-?[0.]*/, '')
    .replace('.', '')
    .replace(/0+$/, '').length;
  return ROUNDING_SHARES[Math.min(said, ROUNDING_SHARES.length - 1)]!;
}

/** Scales under which evidence usually holds a quantity said in base units. */
const USUAL: Record<Dimension, readonly number[]> = {
  // Sentences say MB for both 10^6 and 2^20 bytes.
  bytes: [1, KIBI / KILO, (KIBI / KILO) ** 2, (KIBI / KILO) ** 3],
  time: [1, 1e-3, 1e3, 1e6],
  share: [1, 0.01],
  plain: [1],
};
/** And seldom: kilobytes, minutes, shares said as plain numbers. */
const SELDOM: Record<Dimension, readonly number[]> = {
  bytes: [1e-3, 1 / KIBI, 1e-6, 1 / KIBI ** 2],
  time: [1 / 60_000, 1 / 3_600_000],
  share: [],
  plain: [100],
};
const OTHER_WINDOWS = [1 / 60, 60] as const;
/** Every reading holds the integers up to here by chance. */
const CHANCE = 10;

/** The intervals in which a number of the evidence would confirm the quotation. */
export function* confirmingRanges(number: QuotedNumber): Generator<readonly [low: number, high: number]> {
  for (const scale of USUAL[number.dimension]) yield range(number, scale);
  const windows = number.rate ? USUAL[number.dimension].flatMap(scale => OTHER_WINDOWS.map(per => scale * per)) : [];
  for (const scale of [...SELDOM[number.dimension], ...windows]) {
    const [low, high] = range(number, scale);
    if (Math.abs(high) > CHANCE || Math.ceil(low) > Math.floor(high)) yield [low, high];
  }
}

function range({ value, tolerance }: QuotedNumber, scale: number): readonly [number, number] {
  return [(value - tolerance) * scale, (value + tolerance) * scale];
}
