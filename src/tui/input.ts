import type { Key } from './keys.js';

export interface Parsed {
  readonly keys: readonly Key[];
  /** The beginning of a sequence whose end has not arrived yet: to be put before the next chunk. */
  readonly rest: string;
}

const ESC = '\u001b';
const PASTE_BEGINS = `${ESC}[200~`;
const PASTE_ENDS = `${ESC}[201~`;

type Name = NonNullable<Key['name']>;

/** What follows ESC [ or ESC O, as xterm, the Linux console and rxvt write it. */
const NAMED: { readonly [sequence: string]: Name } = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'tab',
  '1~': 'home',
  '4~': 'end',
  '5~': 'pageUp',
  '6~': 'pageDown',
  '7~': 'home',
  '8~': 'end',
  '3~': 'backspace',
};

const MOUSE: { readonly [button: string]: Name } = { '0': 'click', '64': 'wheelUp', '65': 'wheelDown' };

const CONTROLS: { readonly [char: string]: Name } = {
  '\r': 'return',
  '\n': 'return',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
};

/** An escape sequence longer than this is rubbish: nothing a keyboard sends comes near. */
const MAX_SEQUENCE = 32;
/** A paste whose end never comes must not grow for ever. */
const MAX_PASTE = 64 * 1024;

/**
 * What a terminal sent, key by key; what was pasted is one key named `paste`. `final` takes an ESC at the end of the
 * chunk for the key, where otherwise it waits for the rest of a sequence.
 */
export function parseKeys(chunk: string, final = false): Parsed {
  const keys: Key[] = [];
  let left = chunk;
  while (left !== '') {
    const next = one(left, final);
    if (!next) return { keys, rest: left };
    if (next.key) keys.push(next.key);
    left = left.slice(next.length);
  }
  return { keys, rest: '' };
}

interface One {
  readonly key?: Key;
  readonly length: number;
}

function one(text: string, final: boolean): One | undefined {
  if (text[0] === ESC) return escaped(text, final);
  const char = String.fromCodePoint(text.codePointAt(0) ?? 0);
  const name = CONTROLS[char];
  if (name) return { key: { input: '', name }, length: 1 };
  const code = char.charCodeAt(0);
  if (code === 0 || (code > 26 && code < 32)) return { length: 1 };
  if (code <= 26) return { key: { input: String.fromCharCode(code + 96), ctrl: true }, length: 1 };
  return { key: { input: char }, length: char.length };
}

function escaped(text: string, final: boolean): One | undefined {
  if (text.startsWith(PASTE_BEGINS)) return pasted(text);
  if (text === ESC) return final ? { key: { input: '', name: 'escape' }, length: 1 } : undefined;
  if (text[1] === ESC) return { key: { input: '', name: 'escape' }, length: 1 };
  if (text[1] !== '[' && text[1] !== 'O') return { key: { input: '', name: 'escape' }, length: 1 };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  const sequence = /^\u001b[[O][\u0020-\u003f]*[\u0040-\u007e]/.exec(text)?.[0];
  if (sequence === undefined)
    return text.length > MAX_SEQUENCE || final ? { length: Math.min(text.length, MAX_SEQUENCE) } : undefined;
  return { ...named(sequence), length: sequence.length };
}

function named(sequence: string): { key?: Key } {
  const body = sequence.slice(2);
  if (body[0] === '<') return moused(body);
  const name = NAMED[body] ?? NAMED[body.replace(/^1?;\d+|;\d+(?=~)/, '')];
  if (!name) return {};
  return { key: { input: '', name, ...(body === 'Z' && { shift: true }) } };
}

/** A report of the mouse, as terminals write it in mode 1006: button;column;row, M pressed and m let go, counted from 1. */
function moused(body: string): { key?: Key } {
  const [, button, column, row] = /^<(\d+);(\d+);(\d+)M$/.exec(body) ?? [];
  const name = button === undefined ? undefined : MOUSE[button];
  if (!name) return {};
  return { key: { input: '', name, at: { column: Number(column) - 1, row: Number(row) - 1 } } };
}

function pasted(text: string): One | undefined {
  const end = text.indexOf(PASTE_ENDS);
  if (end < 0) return text.length > MAX_PASTE ? { length: text.length } : undefined;
  return {
    key: { input: text.slice(PASTE_BEGINS.length, end), name: 'paste' },
    length: end + PASTE_ENDS.length,
  };
}
