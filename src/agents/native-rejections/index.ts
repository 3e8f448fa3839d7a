// Runs inside the target. Who called the file functions of Node whose promises are rejected: where no code rejects them
// (the bindings do on Node 18, a job of one round trip on Node 26), neither a debugger nor the error has a stack.
import { type OwnHook, ownHook } from '../async-hook.js';
import type { InstallPart, Part, PartHost } from '../host.js';
import { Inside } from '../inside.js';
import { type Captured, capture, framesOf, isProgram, type RawFrame } from '../stack.js';
import { errorTeller } from '../thrown.js';
import type { RawRejection, RawRejections } from './raw.js';

/** A stack and two questions for each: some 50 µs. */
const MOST_WATCHED = 120;

export interface NativeRejectionsPart extends Part {
  start(): void;
  stop(): RawRejections;
}

interface Call {
  /** Node's own request of fs.promises holds the promise; of others it is the promise that was made just before. */
  readonly resource: { readonly promise?: object };
  readonly promise: object | undefined;
  readonly stack: Captured;
}

const install: InstallPart = (host): NativeRejectionsPart => {
  let calls: Call[] = [];
  let hook: OwnHook | undefined;
  let began = 0;
  const end = (): void => {
    hook?.disable();
    hook = undefined;
  };
  return {
    start() {
      end();
      calls = [];
      began = host.now();
      const own = hookOf(host, calls);
      hook = own;
      host.atRest(() => hook === own && own.enable());
    },
    stop() {
      end();
      const ended = calls;
      calls = [];
      const at = host.now();
      const rejected = rejectedOf(host, ended);
      return { windowMs: at - began, stoodMs: host.now() - at, watched: ended.length, rejected };
    },
    dispose() {
      end();
      calls = [];
    },
  };
};

function hookOf(host: PartHost, calls: Call[]): OwnHook {
  let newest: object | undefined;
  const init = (_id: number, type: string, _trigger: number, resource: object): void => {
    if (type === 'PROMISE') newest = resource;
    if ((type !== 'FSREQPROMISE' && type !== 'FSREQCALLBACK') || calls.length >= MOST_WATCHED) return;
    calls.push({ resource, promise: type === 'FSREQCALLBACK' ? newest : undefined, stack: capture(init) });
  };
  // One that had to leave is tidied up by `stop`, outside of any emission.
  return ownHook(host, { init: host.guard(init, undefined) }, () => undefined);
}

function rejectedOf(host: PartHost, calls: readonly Call[]): RawRejection[] {
  const inside = new Inside(host);
  const tell = errorTeller(host);
  try {
    const stacks = framesOf(calls.map(({ stack }) => stack));
    return calls.flatMap(({ resource, promise = resource.promise }, i) => {
      const from = stacks[i] ?? [];
      const reason = promise !== undefined && isPromised(from) ? inside.reason(promise) : undefined;
      if (reason === undefined) return [];
      const { type, message } = tell(reason);
      const own = from.findIndex(isProgram);
      return [{ type, message, called: from[own - 1]?.name ?? '', frames: from.slice(own).filter(isProgram) }];
    });
  } finally {
    inside.dispose();
  }
}

/** A callback's request belongs to a promise only where a promise's maker called for it. */
const isPromised = (frames: readonly RawFrame[]): boolean =>
  frames.some(isProgram) && frames.some(({ name, url }) => url === PROMISES || (name === 'Promise' && url === ''));
const PROMISES = 'node:internal/fs/promises';

export default install;
