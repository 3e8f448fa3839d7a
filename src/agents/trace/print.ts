import type { PartHost } from '../host.js';
import { isWordChar } from '../text.js';

/** Bounds of one printed value: a hit is read by a person. */
const MAX_TEXT = 600;
const MAX_STRING = 160;
const MAX_ITEMS = 8;
const MAX_KEYS = 12;
const MAX_DEPTH = 3;

const { apply, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const isArray = Array.isArray;
const mapEntries = Map.prototype.entries;
const mapNext = Reflect.get(getPrototypeOf(new Map().entries()) as object, 'next') as () => IteratorResult<unknown[]>;
const setValues = Set.prototype.values;
const setNext = Reflect.get(getPrototypeOf(new Set().values()) as object, 'next') as () => IteratorResult<unknown>;
const sizeOf = (of: object) => getOwnPropertyDescriptor(of, 'size')?.get as () => number;
const mapSize = sizeOf(Map.prototype);
const setSize = sizeOf(Set.prototype);
const bytesLength = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype) as object, 'length')
  ?.get as () => number;
const toISOString = Date.prototype.toISOString;
const getTime = Date.prototype.getTime;
const regExpSource = getOwnPropertyDescriptor(RegExp.prototype, 'source')?.get as () => string;
const stringify = JSON.stringify;

type Types = typeof import('node:util').types;

/** Prints a value, bounded, without running a getter, a proxy's trap or a toString of the program. */
export function printer(host: PartHost): (value: unknown) => string {
  const types: Types = (host.require('node:util') as typeof import('node:util')).types;
  return value => {
    const text = print(value, 0, types);
    return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
  };
}

function print(value: unknown, depth: number, types: Types): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return types.isProxy(value) ? 'Proxy' : `ƒ ${ownText(value, 'name') || '(anonymous)'}`;
    case 'object':
      return value === null ? 'null' : printObject(value, depth, types);
    default:
      return String(value);
  }
}

const quoted = (text: string): string =>
  text.length <= MAX_STRING ? stringify(text) : `${stringify(text.slice(0, MAX_STRING))}… (${text.length} characters)`;

function printObject(value: object, depth: number, types: Types): string {
  if (types.isProxy(value)) return 'Proxy';
  const special = printSpecial(value, types);
  if (special !== undefined) return special;
  const name = classOf(value, types);
  if (types.isMap(value)) return printMap(value, name, depth, types);
  if (types.isSet(value)) return printSet(value, name, depth, types);
  if (isArray(value)) return printArray(value, depth, types);
  return printPlain(value, name, depth, types);
}

function printSpecial(value: object, types: Types): string | undefined {
  if (types.isDate(value)) {
    const time = apply(getTime, value, []);
    return Number.isNaN(time) ? 'Invalid Date' : apply(toISOString, value, []);
  }
  if (types.isRegExp(value)) return `/${apply(regExpSource, value, [])}/`;
  if (types.isPromise(value)) return 'Promise';
  if (types.isNativeError(value)) return `${classOf(value, types) || 'Error'}: ${ownText(value, 'message')}`;
  if (types.isTypedArray(value)) return `${classOf(value, types)}(${apply(bytesLength, value, [])})`;
  if (types.isAnyArrayBuffer(value) || types.isWeakMap(value) || types.isWeakSet(value)) return classOf(value, types);
  return undefined;
}

function printMap(map: Map<unknown, unknown>, name: string, depth: number, types: Types): string {
  const size = apply(mapSize, map, []);
  if (depth >= MAX_DEPTH) return `${name}(${size})`;
  const iterator = apply(mapEntries, map, []);
  const shown: string[] = [];
  for (let at = 0; at < MAX_ITEMS && at < size; at++) {
    const [key, item] = apply(mapNext, iterator, []).value as unknown[];
    shown[at] = `${print(key, MAX_DEPTH, types)} => ${print(item, depth + 1, types)}`;
  }
  return `${name}(${size}) {${braced(shown, size)}}`;
}

function printSet(set: Set<unknown>, name: string, depth: number, types: Types): string {
  const size = apply(setSize, set, []);
  if (depth >= MAX_DEPTH) return `${name}(${size})`;
  const iterator = apply(setValues, set, []);
  const shown: string[] = [];
  for (let at = 0; at < MAX_ITEMS && at < size; at++)
    shown[at] = print(apply(setNext, iterator, []).value, depth + 1, types);
  return `${name}(${size}) {${braced(shown, size)}}`;
}

function printArray(array: readonly unknown[], depth: number, types: Types): string {
  const { length } = array; // an array's own, never an accessor
  if (depth >= MAX_DEPTH) return `Array(${length})`;
  const shown: string[] = [];
  for (let at = 0; at < MAX_ITEMS && at < length; at++) shown[at] = printSlot(array, String(at), depth, types);
  return `[${listed(shown, length)}]`;
}

function printPlain(value: object, name: string, depth: number, types: Types): string {
  const label = name === 'Object' || name === '' ? '' : `${name} `;
  if (depth >= MAX_DEPTH) return `${label}{…}`;
  const keys = ownKeys(value);
  const shown: string[] = [];
  for (let at = 0; at < MAX_KEYS && at < keys.length; at++) {
    const key = keys[at] as string | symbol;
    shown[at] = `${typeof key === 'symbol' ? '[symbol]' : plainKey(key)}: ${printSlot(value, key, depth, types)}`;
  }
  return `${label}{${braced(shown, keys.length)}}`;
}

function printSlot(holder: object, key: string | symbol, depth: number, types: Types): string {
  const slot = getOwnPropertyDescriptor(holder, key);
  if (slot === undefined) return '(empty)';
  return 'value' in slot ? print(slot.value, depth + 1, types) : '(getter)';
}

function isPlain(key: string): boolean {
  for (let at = 0; at < key.length; at++) if (!isWordChar(key.charAt(at)) && key.charAt(at) !== '$') return false;
  return key !== '';
}

const plainKey = (key: string): string => (isPlain(key) ? key : quoted(key));
const listed = (shown: readonly string[], total: number): string =>
  shown.join(', ') + (total > shown.length ? `, … ${total - shown.length} more` : '');
const braced = (shown: readonly string[], total: number): string => (total === 0 ? '' : ` ${listed(shown, total)} `);

/** The name of the nearest prototype's class, read from data properties alone. */
function classOf(value: object, types: Types): string {
  for (let at = getPrototypeOf(value), steps = 0; at !== null && steps < 4; at = getPrototypeOf(at), steps++) {
    if (types.isProxy(at)) return '';
    const made: unknown = getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof made === 'function' && !types.isProxy(made)) return ownText(made, 'name');
  }
  return '';
}

function ownText(holder: object, key: string): string {
  const text: unknown = getOwnPropertyDescriptor(holder, key)?.value;
  return typeof text === 'string' ? text.slice(0, MAX_STRING) : '';
}
