import type { PartHost } from '../host.js';

/** An object beyond this many values is known by its identity alone. */
const MAX_VALUES = 200;
/** Characters of a signature; longer strings enter it by length and a checksum. */
const LONG_STRING = 64;

type Util = typeof import('node:util');

/** Tells whether two lists of arguments hold the same values, without running getters or a proxy's traps. */
export function argumentReader(host: PartHost) {
  const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const { isProxy } = (host.require('node:util') as Util).types;
  const ids = new WeakMap<object, number>();
  const objectPrototype = Object.prototype;
  const isArray = Array.isArray;
  let nextId = 1;

  const identity = (value: object): string => {
    const known = ids.get(value) ?? nextId++;
    ids.set(value, known);
    return `#${known}`;
  };

  const text = (value: string): string =>
    value.length <= LONG_STRING ? `"${value}"` : `s${value.length}:${checksum(value)}`;

  const plain = (value: object): boolean => {
    if (isProxy(value)) return false;
    const prototype = getPrototypeOf(value);
    return isArray(value) || prototype === objectPrototype || prototype === null;
  };

  /** Undefined once the budget is spent. */
  const write = (value: unknown, budget: { left: number }): string | undefined => {
    if (--budget.left < 0) return undefined;
    if (typeof value === 'string') return text(value);
    if (typeof value === 'function') return identity(value);
    if (typeof value !== 'object' || value === null) return `${typeof value}:${String(value)}`;
    return plain(value) ? structure(value, budget) : identity(value);
  };

  const structure = (value: object, budget: { left: number }): string | undefined => {
    if (isArray(value) && value.length > MAX_VALUES) return undefined;
    const keys = ownKeys(value);
    if (keys.length > budget.left) return undefined;
    let written = '{';
    for (const key of keys) {
      const slot = getOwnPropertyDescriptor(value, key);
      const inner = slot && 'value' in slot ? write(slot.value, budget) : 'accessor';
      if (inner === undefined) return undefined;
      written += `${String(key)}=${inner},`;
    }
    return `${written}}`;
  };

  const one = (value: unknown): string =>
    write(value, { left: MAX_VALUES }) ?? (typeof value === 'object' && value !== null ? identity(value) : '?');

  return {
    signature(values: readonly unknown[]): string | undefined {
      let signature = '';
      for (let at = 0; at < values.length; at++) signature += `${one(values[at])};`;
      return signature;
    },
    /** Kinds and sizes only: arguments may be secrets. */
    describe(values: readonly unknown[]): string {
      let described = '';
      for (let at = 0; at < values.length && at < 3; at++)
        described += `${at > 0 ? ', ' : ''}${describeOne(values[at])}`;
      return described;
    },
  };

  function describeOne(value: unknown): string {
    if (typeof value === 'string') return `string of ${value.length} characters`;
    if (typeof value === 'function') return 'function';
    if (typeof value !== 'object' || value === null) return typeof value;
    if (isProxy(value)) return 'proxy';
    if (isArray(value)) return `array of ${value.length}`;
    return plain(value) ? `object with ${ownKeys(value).length} keys` : 'object';
  }
}

/** FNV-1a over the whole string: 1 ms for a megabyte. */
function checksum(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}
