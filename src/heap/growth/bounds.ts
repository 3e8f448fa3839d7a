/** What a module's text does against growth of one of its collections. */
export interface Bounds {
  /** Something is ever removed. 0-based line of the first place. */
  readonly removal?: { readonly line0: number };
  /**
   * Size is compared with a limit; `limit` where its value could be read, `each` where it holds for each of so many,
   * `companion` where another collection is compared that gets an entry with each of its.
   */
  readonly sizeCheck?: {
    readonly line0: number;
    readonly limit?: number;
    readonly each?: number;
    readonly companion?: string;
  };
  /**
   * Entries are removed by a timer, or by a sweep of whoever adds some; `drainsEveryMs` where it takes some from a queue,
   * whatever their age, `overAfterMs` where the text says how long one may stay until the next sweep.
   */
  readonly expiry?: { readonly line0: number; readonly drainsEveryMs?: number; readonly overAfterMs?: number };
  /** The name of a list: for each of its items an entry is made, and kept by it. */
  readonly keysFrom?: string;
  /** All of it is dropped at once: a batch. `byFeeder`: by whoever adds to it; `everyMs`: the timer's interval where it is known. */
  readonly emptied?: {
    readonly line0: number;
    readonly byTimer: boolean;
    readonly byFeeder: boolean;
    readonly everyMs?: number;
  };
}

/** Reads removals, size checks and expiry of the collection called `name` from a source text. Names are compared, not scopes. */
export function boundsOf(text: string, name: string): Bounds {
  const holder = `(?<![\\w$])${literally(name)}`;
  const removal = find(text, removalPattern(holder));
  const expiry = removal && find(text, expiryPattern(holder));
  const sizeCheck = sizeCheckOf(text, holder);
  return {
    ...(removal && { removal: { line0: removal.line0 } }),
    ...(sizeCheck && { sizeCheck }),
    ...(expiry && { expiry: { line0: expiry.line0 } }),
  };
}

const REMOVING = '(?:delete|clear|shift|pop|splice|removeListener|off|removeAllListeners|removeEventListener)\\(';

function removalPattern(holder: string): string {
  return `${holder}(?:\\?|!)?\\.${REMOVING}|delete\\s+(?:this\\.|[\\w$]+\\.)*${holder}\\s*[[.]|${holder}\\.length\\s*=[^=]|${holder}\\s*=\\s*${holder}\\.(?:slice|filter)\\(`;
}

/** A removal inside what is given to a timer, within its first lines. */
function expiryPattern(holder: string): string {
  return `set(?:Interval|Timeout)\\s*\\((?:(?!set(?:Interval|Timeout)\\s*\\()[\\s\\S]){0,600}?(?:${holder}\\.(?:delete|splice|shift)\\(|delete\\s+(?:this\\.|[\\w$]+\\.)*${holder}\\s*\\[)`;
}

function sizeCheckOf(text: string, holder: string): Bounds['sizeCheck'] {
  const size = `(?:${holder}\\.(?:size|length)|Object\\.keys\\(\\s*(?:this\\.|[\\w$]+\\.)*${holder}\\s*\\)\\.length)`;
  const after = find(text, `${size}\\s*(?:>=?|===)\\s*([\\w$.]+)`);
  const before = after ?? find(text, `([\\w$.]+)\\s*<=?\\s*(?:this\\.|[\\w$]+\\.)*${size}`);
  const found =
    before ??
    find(text, `${size}\\s*<=?\\s*([\\w$.]+)\\s*\\)\\s*\\{?\\s*(?:break|return)\\b`) ??
    find(text, `Math\\.min\\(\\s*${size}\\s*,\\s*([\\w$.]+)`) ??
    find(text, roomPattern(holder, size));
  return found && checkOf(text, found);
}

/** `if (list.length < MOST) list.push(x)`: what has no room is not added. */
const roomPattern = (holder: string, size: string): string =>
  `${size}\\s*<=?\\s*([\\w$.]+)\\s*\\)\\s*\\{?\\s*(?:this\\.|[\\w$]+\\.)*${holder}\\.(?:push|unshift|add|set)\\(`;

/** `byUser.set(id, [...older, x].slice(-90))`: of each of its lists only the last are stored. */
export function boundsOfStored(text: string, name: string): Bounds {
  const stored = find(text, `(?<![\\w$])${literally(name)}\\.set\\([^;]{0,200}?\\.slice\\(\\s*-\\s*([\\w$.]+)\\s*\\)`);
  const sizeCheck = stored && checkOf(text, stored);
  return sizeCheck ? { sizeCheck, removal: { line0: sizeCheck.line0 } } : {};
}

function checkOf(text: string, { line0, captured }: Match): Bounds['sizeCheck'] {
  if (!captured || isNoLimit(captured)) return undefined;
  const limit = limitNamed(text, captured);
  return { line0, ...(limit !== undefined && { limit }) };
}

/** `length > 0` asks whether there is anything, not whether there is too much; `i < list.length` is a loop. */
function isNoLimit(token: string): boolean {
  return /^[01]$/.test(token) || /^[ijkn]$/.test(token);
}

/** A number, or a name that the text gives a number: `const MAX = 5_000`, `maxEntries: 1e4`, `this.max = 10 * 1000`. */
export function limitNamed(text: string, token: string): number | undefined {
  const direct = numberOf(token);
  if (direct !== undefined) return direct;
  const name = token.split('.').at(-1) ?? token;
  const assigned = new RegExp(
    `(?<![\\w$])${literally(name)}\\s*[=:]\\s*([\\d_.e]+(?:\\s*\\*\\s*[\\d_.e]+)*)`,
    'i',
  ).exec(text);
  const factors = assigned?.[1]?.split('*').map(part => numberOf(part.trim()));
  if (!factors || factors.some(factor => factor === undefined)) return undefined;
  return factors.reduce<number>((product, factor) => product * (factor ?? 1), 1);
}

const LIFETIME =
  /(?<![\w$])[\w$]*(?:ttl|max_?age|life(?:time)?|expir\w*|stale)[\w$]*\s*[=:]\s*([\d_.e]+(?:\s*\*\s*[\d_.e]+)*)/gi;
/** A shorter time is in seconds. */
const SHORTEST_MS = 1000;

/** How long entries live by the one constant of a text that says so, in milliseconds; undefined for none, or several. */
export function lifetimeNamed(text: string): number | undefined {
  const found = [...text.matchAll(LIFETIME)].map(match =>
    (match[1] ?? '').split('*').reduce((product, factor) => product * (numberOf(factor.trim()) ?? Number.NaN), 1),
  );
  const [ms] = found;
  return found.length === 1 && ms !== undefined && ms >= SHORTEST_MS ? ms : undefined;
}

function numberOf(token: string): number | undefined {
  const value = /^\d/.test(token) ? Number(token.replaceAll('_', '')) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

interface Match {
  readonly line0: number;
  readonly captured?: string;
}

function find(text: string, pattern: string): Match | undefined {
  const match = new RegExp(pattern).exec(text);
  if (!match) return undefined;
  const line0 = text.slice(0, match.index).split('\n').length - 1;
  return match[1] === undefined ? { line0 } : { line0, captured: match[1] };
}

const literally = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
