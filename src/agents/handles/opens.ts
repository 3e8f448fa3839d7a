import type { PartHost } from '../host.js';
import type { Creation } from './creators.js';
import { type Captured, capture } from './stacks.js';

type Fs = typeof import('node:fs');
type Callback = (...args: unknown[]) => void;
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Stands in front of `fs.open`, `fs.openSync`, `fs.close` and `fs.closeSync` on the module object, which is what
 * streams and CommonJS code call (named ESM imports bypass it), and remembers which descriptor came from where.
 * Returns what takes it back.
 */
export function watchOpens(
  host: PartHost,
  causeNow: () => Captured | undefined,
  keep: (creation: Creation) => void,
): () => void {
  const fs = host.require('node:fs') as Fs;
  const open = new Set<number>();
  const opened = (fd: unknown, captured: Captured, cause: Captured | undefined): void => {
    if (typeof fd !== 'number') return;
    open.add(fd);
    keep({ type: 'fd', captured, cause, alive: () => open.has(fd) });
  };
  const undo = [
    replace(fs, 'openSync', original => {
      return function openSync(this: unknown, ...args) {
        const fd = Reflect.apply(original, this, args);
        opened(fd, capture(openSync), causeNow());
        return fd;
      };
    }),
    replace(fs, 'open', original => {
      return function open(this: unknown, ...args) {
        const last = args.length - 1;
        const callback = args[last];
        if (typeof callback !== 'function') return Reflect.apply(original, this, args);
        const [captured, cause] = [capture(open), causeNow()];
        args[last] = function (this: unknown, ...results: unknown[]) {
          if (results[0] === null || results[0] === undefined) opened(results[1], captured, cause);
          return Reflect.apply(callback as Callback, this, results);
        };
        return Reflect.apply(original, this, args);
      };
    }),
    ...(['close', 'closeSync'] as const).map(name =>
      replace(fs, name, original => {
        return function (this: unknown, ...args) {
          open.delete(args[0] as number); // a descriptor that nobody watched is no member
          return Reflect.apply(original, this, args);
        };
      }),
    ),
  ];
  return () => {
    for (const back of undo) back();
  };
}

/** Puts a stand-in with the original's name and length in its place; returns what puts the original back. */
function replace(fs: Fs, name: keyof Fs & string, make: (original: AnyFunction) => AnyFunction): () => void {
  const before = Object.getOwnPropertyDescriptor(fs, name);
  if (before === undefined || typeof before.value !== 'function' || !before.configurable) return () => undefined;
  const original = before.value as AnyFunction;
  const standIn = make(original);
  // Own properties carry `fs.open[util.promisify.custom]`, name and length.
  Object.defineProperties(standIn, Object.getOwnPropertyDescriptors(original));
  Object.defineProperty(fs, name, { ...before, value: standIn });
  return () => {
    // Somebody who wrapped it meanwhile keeps a working stand-in: nothing is noted any more.
    if (Object.getOwnPropertyDescriptor(fs, name)?.value === standIn) Object.defineProperty(fs, name, before);
  };
}
