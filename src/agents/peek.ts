// Looking at a program's values without running any of its code: no getter, no proxy's trap, no toString.
import type { PartHost } from './host.js';

const { getOwnPropertyDescriptor: describe, getPrototypeOf } = Reflect;

export type Peek = (object: unknown, key: PropertyKey) => unknown;

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** An own data property; undefined for accessors, and for a proxy, whose traps would answer. */
export function peeker(host: PartHost): Peek {
  const { isProxy } = proxies(host);
  return (object, key) => (isObject(object) && !isProxy(object) ? describe(object, key)?.value : undefined);
}

/** The nearest descriptor along the prototypes; undefined where a proxy stands among them. */
export function inheritedDescriptor(
  host: PartHost,
): (object: object, key: PropertyKey) => PropertyDescriptor | undefined {
  const { isProxy } = proxies(host);
  return (object, key) => {
    for (let at: object | null = object; at !== null && !isProxy(at); at = getPrototypeOf(at)) {
      const found = describe(at, key);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

export function proxies(host: PartHost): { isProxy(value: unknown): boolean } {
  return (host.require('node:util') as typeof import('node:util')).types;
}

/** An own data property of an object that Node made and that can't be a proxy. */
export function own(object: unknown, key: PropertyKey): unknown {
  return isObject(object) ? describe(object, key)?.value : undefined;
}
