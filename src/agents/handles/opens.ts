import type { PartHost } from '../host.js';
import type { Inside } from '../inside.js';
import { passThrough, quietly, replaceMethod } from '../replace.js';
import { type Captured, capture } from '../stack.js';
import type { Creation } from './creators.js';

type Fs = typeof import('node:fs');
type Callback = (...args: unknown[]) => void;

/**
 * Stands in front of `open` and `close` of the native binding that all of `fs` calls, and remembers which descriptor
 * came from where. Methods of `fs` itself are too late: programs keep them (`promisify(fs.open)`, `{ openSync } =
 * require('fs')`, named imports). Returns what takes it back.
 */
export function watchOpens(
  host: PartHost,
  inside: Inside,
  causeNow: () => Captured | undefined,
  keep: (creation: Creation) => void,
): () => void {
  const binding = inside.variable((host.require('node:fs') as Fs).openSync, 'binding');
  if (typeof binding !== 'object' || binding === null) return () => undefined;
  const open = new Set<number>();
  const opened = (fd: unknown, captured: Captured, cause: Captured | undefined): void => {
    if (typeof fd !== 'number') return;
    open.add(fd);
    keep({ type: 'fd', captured, cause, alive: () => open.has(fd) });
  };
  const noting = (callback: Callback, captured: Captured, cause: Captured | undefined): Callback =>
    function (this: unknown, ...results) {
      quietly(() => {
        if (results[0] === null || results[0] === undefined) opened(results[1], captured, cause);
      });
      return Reflect.apply(callback, this, results);
    };
  const undo = [
    replaceMethod(binding, 'open', original => {
      return function open(this: unknown, ...args) {
        const request = args.find(isRequest);
        if (request) quietly(() => awaitAnswer(request, noting, capture(open), causeNow()));
        const fd = passThrough(original, this, args, open);
        if (!request) quietly(() => opened(fd, capture(open), causeNow()));
        return fd;
      };
    }),
    replaceMethod(binding, 'close', original => {
      return function close(this: unknown, ...args) {
        quietly(() => open.delete(args[0] as number)); // a descriptor that nobody watched is no member
        return passThrough(original, this, args, close);
      };
    }),
  ];
  return () => {
    for (const back of undo) back();
  };
}

interface Request {
  oncomplete: Callback;
}

/** Node's own FSReqCallback: its `oncomplete` is called with the descriptor. */
function isRequest(argument: unknown): argument is Request {
  return typeof argument === 'object' && argument !== null && typeof (argument as Request).oncomplete === 'function';
}

function awaitAnswer(
  request: Request,
  noting: (callback: Callback, captured: Captured, cause: Captured | undefined) => Callback,
  captured: Captured,
  cause: Captured | undefined,
): void {
  request.oncomplete = noting(request.oncomplete, captured, cause);
}
