import type { PartHost } from '../host.js';
import { replaceMethod } from '../replace.js';
import { type Captured, capture } from '../stack.js';
import type { Creation } from './creators.js';

type Fs = typeof import('node:fs');
type Callback = (...args: unknown[]) => void;

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
    replaceMethod(fs, 'openSync', original => {
      return function openSync(this: unknown, ...args) {
        const fd = Reflect.apply(original, this, args);
        opened(fd, capture(openSync), causeNow());
        return fd;
      };
    }),
    replaceMethod(fs, 'open', original => {
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
      replaceMethod(fs, name, original => {
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
