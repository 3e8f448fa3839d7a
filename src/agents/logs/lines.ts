import { withoutPrefix } from '../text.js';

/** Longer lines are cut before anything looks at them (design: messages 2048 bytes). */
export const MAX_MESSAGE = 2048;
const MAX_TEMPLATE = 160;
/** A level stands at the head of its line. */
const HEAD = 90;

export interface Line {
  readonly level: string;
  readonly message: string;
}

const PINO_LEVELS: { readonly [number: string]: string } = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const WORDS: { readonly [word: string]: string } = {
  fatal: 'fatal',
  critical: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  error: 'error',
  err: 'error',
  warn: 'warn',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  http: 'info',
  verbose: 'debug',
  debug: 'debug',
  silly: 'trace',
  trace: 'trace',
};

const WORD = 1;
const DIGIT = 2;
const CAPITAL = 4;
const HEX = 8;
const QUOTE = 16;
const BLANK = 32;
/** What the ASCII characters are: looking at codes is six times quicker than comparing one-letter texts. */
const KINDS = new Uint8Array(128);
const mark = (characters: string, kind: number): void => {
  for (let at = 0; at < characters.length; at++) {
    const code = characters.charCodeAt(at);
    KINDS[code] = (KINDS[code] ?? 0) | kind;
  }
};
mark('0123456789', WORD | DIGIT | HEX);
mark('abcdefABCDEF', HEX);
mark('ABCDEFGHIJKLMNOPQRSTUVWXYZ', WORD | CAPITAL);
mark('abcdefghijklmnopqrstuvwxyz_', WORD);
mark('"\'`', QUOTE);
mark(' \t\n\v\f\r', BLANK);

/** Nothing of all that outside of the text, and beyond ASCII only blanks. */
function is(kind: number, text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 128) return ((KINDS[code] ?? 0) & kind) !== 0;
  return kind === BLANK && code >= 128 && text.charAt(at).trim() === '';
}

const HYPHEN = '-'.charCodeAt(0);

const LOUD = ['FATAL', 'CRITICAL', 'ERROR', 'WARNING', 'WARN', 'NOTICE', 'INFO', 'DEBUG', 'TRACE'];
const LEADING = [
  'fatal',
  'critical',
  'error',
  'err',
  'warning',
  'warn',
  'notice',
  'info',
  'http',
  'verbose',
  'debug',
  'silly',
  'trace',
];
const JSON_LEVELS = ['"level":', '"severity":', '"lvl":'];
const JSON_MESSAGES = ['"msg":', '"message":'];
const MAX_JSON_MESSAGE = 400;
const MAX_QUOTED = 120;
const UUID_LENGTH = 36;
const MIN_ID_LENGTH = 8;

/** Level and message of one line; `fallback` where the line itself doesn't say. No regular expression: they would
 * change what the program finds in `RegExp.$1` after it has written a line. */
export function readLine(text: string, fallback: string): Line {
  const line = withoutColours(text);
  if (line.startsWith('{')) {
    const said = jsonLevel(line);
    return { level: PINO_LEVELS[said] ?? WORDS[said] ?? fallback, message: jsonMessage(line) ?? line };
  }
  const head = line.slice(0, HEAD);
  const word = loudLevel(head) ?? leadingLevel(head);
  const level = word === undefined ? undefined : WORDS[word.toLowerCase()];
  return { level: level ?? (isThrown(head) ? 'error' : fallback), message: line };
}

/** What stays the same when the same statement logs again: numbers, ids and quoted values become signs. */
export function templateOf(message: string): string {
  const words = withoutIds(withoutQuoted(withoutUuids(message.slice(0, MAX_TEMPLATE * 2))));
  return squeezed(withoutNumbers(words)).slice(0, MAX_TEMPLATE);
}

const SEVERE = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'error', 'warn', 'info', 'debug'];
/** How far into a line the mark of a log line is looked for. */
const JSON_MARK_WITHIN = 201;
const WORD_MARK_WITHIN = 60;

/** Whether a text looks like a line that a logger made. */
export function isLogLine(text: string): boolean {
  const line = firstLine(text);
  if (line.startsWith('{'))
    for (const key of ['"level":', '"severity":']) {
      const at = line.indexOf(key, 1);
      if (at > 0 && at <= JSON_MARK_WITHIN) return true;
    }
  for (let at = 0; at <= WORD_MARK_WITHIN && at < line.length; at++) {
    if (is(WORD, line, at - 1) || !is(WORD, line, at)) continue;
    const word = SEVERE.find(known => line.startsWith(known, at));
    if (word === undefined || is(WORD, text, at + word.length)) continue;
    if (endsLevel(text, at + word.length, ']')) return true;
  }
  return false;
}

function firstLine(text: string): string {
  let end = 0;
  while (end < text.length && !isLineEnd(text, end)) end++;
  return text.slice(0, end);
}

function isLineEnd(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 10 || code === 13 || code === 0x2028 || code === 0x2029;
}

/** Terminal colours: escape, bracket, numbers, m. */
function withoutColours(text: string): string {
  let from = 0;
  let kept = '';
  for (let at = text.indexOf('\u001b['); at >= 0; at = text.indexOf('\u001b[', at + 1)) {
    let end = at + 2;
    while (is(DIGIT, text, end) || text.charAt(end) === ';') end++;
    if (text.charAt(end) !== 'm') continue;
    kept += text.slice(from, at);
    from = end + 1;
  }
  return from === 0 ? text : kept + text.slice(from);
}

/** The places right after one of the keys, leftmost first, blanks skipped. */
function* afterKeys(line: string, text: string, keys: readonly string[]): Generator<number> {
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) {
    const key = keys.find(known => text.startsWith(known, at));
    if (key !== undefined) yield afterBlanks(line, at + key.length);
  }
}

function jsonLevel(line: string): string {
  for (const at of afterKeys(line, lowered(line), JSON_LEVELS)) {
    const from = line.charAt(at) === '"' ? at + 1 : at;
    const end = wordEnd(line, from);
    if (end > from) return line.slice(from, end).toLowerCase();
  }
  return '';
}

function jsonMessage(line: string): string | undefined {
  for (const at of afterKeys(line, line, JSON_MESSAGES)) {
    if (line.charAt(at) !== '"') continue;
    const message = quotedText(line, at + 1);
    if (message !== '') return message;
  }
  return undefined;
}

/** Up to the closing quote, at most so many characters or escapes. */
function quotedText(line: string, from: number): string {
  let at = from;
  for (let units = 0; units < MAX_JSON_MESSAGE && at < line.length && line.charAt(at) !== '"'; units++) {
    const isEscape = line.charAt(at) === '\\';
    if (isEscape && (at + 1 >= line.length || isLineEnd(line, at + 1))) break;
    at += isEscape ? 2 : 1;
  }
  return line.slice(from, at);
}

function loudLevel(head: string): string | undefined {
  for (let at = 0; at < head.length; at++) {
    if (!is(CAPITAL, head, at) || !(at === 0 || isOpening(head, at - 1))) continue;
    for (const word of LOUD) if (head.startsWith(word, at) && isClosing(head, at + word.length)) return word;
  }
  return undefined;
}

const isOpening = (text: string, at: number): boolean => is(BLANK, text, at) || '[(|'.includes(text.charAt(at));
/** The end of the text too. */
const isClosing = (text: string, at: number): boolean => is(BLANK, text, at) || ']:)|'.includes(text.charAt(at));

/** At the head of the line, or behind its time. */
function leadingLevel(head: string): string | undefined {
  const from = '[('.includes(head.charAt(0)) && head !== '' ? 1 : 0;
  if (is(DIGIT, head, from)) {
    let end = from + 1;
    while (end < head.length && isOfTime(head, end)) end++;
    for (; end > from; end--) {
      const closed = isBracketEnd(head.charAt(end)) ? levelAt(head, afterBlanks(head, end + 1)) : undefined;
      const word = closed ?? levelAt(head, afterBlanks(head, end));
      if (word !== undefined) return word;
    }
  }
  return levelAt(head, 0);
}

const isOfTime = (text: string, at: number): boolean => is(DIGIT, text, at) || ':.,TZtz/+ -'.includes(text.charAt(at));
const isBracketEnd = (char: string): boolean => char === ']' || char === ')';

/** A level's word, perhaps in brackets, and what ends it. */
function levelAt(head: string, at: number): string | undefined {
  const from = head.charAt(at) === '[' || head.charAt(at) === '(' ? at + 1 : at;
  if (!is(WORD, head, from) || is(DIGIT, head, from)) return undefined;
  const lower = lowered(head.slice(from, from + 9));
  const word = LEADING.find(known => lower.startsWith(known) && endsLevel(head, from + known.length, '])'));
  return word === undefined ? undefined : head.slice(from, from + word.length);
}

function endsLevel(line: string, at: number, brackets: string): boolean {
  const char = line.charAt(at);
  const closed = char !== '' && brackets.includes(char) && isLevelEnd(line.charAt(afterBlanks(line, at + 1)));
  return closed || isLevelEnd(line.charAt(afterBlanks(line, at)));
}

const isLevelEnd = (char: string): boolean => char !== '' && ':|]-'.includes(char);

const UNCAUGHT = 'Uncaught ';

/** `TypeError`, `Uncaught Error`, `Exception`. */
function isThrown(head: string): boolean {
  const line = withoutPrefix(head, UNCAUGHT);
  const name = line.slice(0, wordEnd(line, 0));
  return ['Error', 'Exception'].some(end => name === end || (name.endsWith(end) && is(CAPITAL, name, 0)));
}

/** Hexadecimal digits and hyphens of a UUID's length, not within a longer word. */
function withoutUuids(text: string): string {
  if (!text.includes('-')) return text;
  let said = '';
  let from = 0;
  for (let at = 0; at + UUID_LENGTH <= text.length; at++) {
    if (text.charCodeAt(at + 8) !== HYPHEN || !isUuid(text, at)) continue;
    said += `${text.slice(from, at)}<id>`;
    from = at + UUID_LENGTH;
    at = from - 1;
  }
  return said + text.slice(from);
}

function isUuid(text: string, at: number): boolean {
  if (!is(HEX, text, at) || is(WORD, text, at - 1)) return false;
  for (let i = 1; i < UUID_LENGTH; i++) {
    const isHyphen = i >= 8 && text.charCodeAt(at + i) === HYPHEN;
    if (!isHyphen && !is(HEX, text, at + i)) return false;
  }
  return is(WORD, text, at + UUID_LENGTH - 1) !== is(WORD, text, at + UUID_LENGTH);
}

function withoutQuoted(text: string): string {
  let said = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const end = is(QUOTE, text, at) ? closingQuote(text, at) : -1;
    if (end < 0) continue;
    said += `${text.slice(from, at)}<text>`;
    from = end + 1;
    at = end;
  }
  return said + text.slice(from);
}

/** Of a text of 1 to 120 characters within the line; -1 where there is none. */
function closingQuote(text: string, at: number): number {
  const end = text.indexOf(text.charAt(at), at + 1);
  if (end <= at + 1 || end > at + 1 + MAX_QUOTED) return -1;
  for (let i = at + 1; i < end; i++) if (isLineEnd(text, i)) return -1;
  return end;
}

/** Runs of letters, digits and hyphens with a digit in them, long enough for an id. */
function withoutIds(text: string): string {
  let said = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (!is(WORD, text, at)) continue;
    const run = runFrom(text, at);
    if (run.hasDigit && run.end - at >= MIN_ID_LENGTH) {
      said += `${text.slice(from, at)}<id>`;
      from = run.end;
    }
    at = run.next;
  }
  return said + text.slice(from);
}

/** Ends with a letter or digit; hyphens that follow are no part of it. */
function runFrom(text: string, from: number): { end: number; next: number; hasDigit: boolean } {
  let next = from;
  let end = from;
  let hasDigit = false;
  for (; ; next++) {
    if (is(WORD, text, next)) {
      end = next + 1;
      hasDigit ||= is(DIGIT, text, next);
    } else if (text.charCodeAt(next) !== HYPHEN) return { end, next, hasDigit };
  }
}

function withoutNumbers(text: string): string {
  let said = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (!is(DIGIT, text, at)) continue;
    said += `${text.slice(from, at)}<n>`;
    from = numberEnd(text, at);
    at = from - 1;
  }
  return said + text.slice(from);
}

/** Digits, and more of them behind dots and colons. */
function numberEnd(text: string, from: number): number {
  let at = from;
  while (is(DIGIT, text, at)) at++;
  const isJoined = (text.charAt(at) === '.' || text.charAt(at) === ':') && is(DIGIT, text, at + 1);
  return isJoined ? numberEnd(text, at + 1) : at;
}

/** Every run of blanks as one space, none at the ends. */
function squeezed(text: string): string {
  let said = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (!is(BLANK, text, at)) continue;
    const end = afterBlanks(text, at);
    if (end - at > 1 || text.charAt(at) !== ' ') {
      said += `${text.slice(from, at)} `;
      from = end;
    }
    at = end - 1;
  }
  return (said + text.slice(from)).trim();
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (is(BLANK, text, at)) at++;
  return at;
}

function wordEnd(text: string, from: number): number {
  let at = from;
  while (is(WORD, text, at)) at++;
  return at;
}

/** Of the same length: some capitals are two letters in lower case. */
function lowered(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  let said = '';
  for (let at = 0; at < text.length; at++)
    said += is(CAPITAL, text, at) ? text.charAt(at).toLowerCase() : text.charAt(at);
  return said;
}
