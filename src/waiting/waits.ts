import { isNodeInternal, isOwnCode, isUserCode, packageOf } from '../base/script-url.js';
import type { AsyncDump, AsyncFrame, AsyncRecord } from '../model/evidence/async-dump.js';

export type FrameKind = 'builtin' | 'node' | 'package' | 'user';

export interface Frame extends AsyncFrame {
  readonly kind: FrameKind;
  readonly package?: string;
}

/**
 * How a promise came to be: an async function's own, an await, a then, `new Promise`, Promise.all and its kin, the
 * engine's own around a thenable that is awaited; all else is a native resource.
 */
export type WaitKind = 'async-function' | 'await' | 'then' | 'executor' | 'combinator' | 'thenable' | 'native';

/** A record with its frames resolved. */
export interface Wait extends Omit<AsyncRecord, 'stack'> {
  readonly kind: WaitKind;
  /** Innermost first. */
  readonly frames: readonly Frame[];
  readonly user: readonly Frame[];
  readonly pending: boolean;
}

/** Helpers that compilers put around async functions: everybody's plumbing, nobody's library. */
const PLUMBING = new Set(['tslib', '@babel/runtime', '@swc/helpers', 'regenerator-runtime', 'asyncawait']);
/** Stacks of moments, not things that anybody waits for. */
const MOMENTS = new Set(['HTTPSTART', 'HTTPWRITE', 'NETCONNECT']);
const HOOKS = /async_hooks|promise_hooks|internal\/process\/promises/;

/** A dump's records by id, with the links between them. */
export class Waits {
  readonly all: readonly Wait[];
  private readonly byId: ReadonlyMap<number, Wait>;
  private readonly byRequest = new Map<number, Wait[]>();
  /** Of an awaited thenable, what its `then` asked of a promise of its own. */
  private readonly thens = new Map<number, Wait>();

  constructor(readonly dump: AsyncDump) {
    const frames = dump.frames.map(resolve);
    this.all = tellThenables(adoptCallers(dump.records.map(record => toWait(record, frames))));
    this.byId = new Map(this.all.map(wait => [wait.id, wait]));
    for (const wait of this.all) if (this.isThenOfThenable(wait)) this.thens.set(wait.executionId, wait);
    for (const wait of this.all) {
      const list = this.byRequest.get(wait.request);
      if (list) list.push(wait);
      else this.byRequest.set(wait.request, [wait]);
    }
  }

  ofRequest(index: number): readonly Wait[] {
    return this.byRequest.get(index) ?? [];
  }

  /** The promise that an await or a then waits for, when it was made in the window. */
  awaited(wait: Wait): Wait | undefined {
    const promise = wait.kind === 'native' ? undefined : this.byId.get(wait.triggerId);
    const then = promise?.kind === 'thenable' ? this.thens.get(promise.id) : undefined;
    return (then && this.byId.get(then.triggerId)) ?? promise;
  }

  private isThenOfThenable({ kind, executionId }: Wait): boolean {
    return kind === 'then' && !this.thens.has(executionId) && this.byId.get(executionId)?.kind === 'thenable';
  }

  /**
   * True for what is really waited for: an await or then whose promise is not itself a pending function, await or then
   * of the window; or a native resource.
   */
  isLeaf(wait: Wait): boolean {
    if (wait.kind === 'native') return isNativeLeaf(wait);
    if (wait.kind !== 'await' && wait.kind !== 'then') return false;
    if (this.thens.get(wait.executionId) === wait) return false;
    const promise = this.awaited(wait);
    if (!promise || promise.id === wait.executionId) return true;
    // What another request does: who waits for it waits for nothing else.
    if (promise.request !== wait.request && promise.request > 0 && wait.pending) return true;
    // Made at the very same place: the promise of a native call or of a thenable, with nothing behind it to see.
    if (promise.kind === 'async-function' && top(promise) === top(wait)) return true;
    return promise.kind !== 'async-function' && promise.kind !== 'await' && promise.kind !== 'then';
  }

  /** Native resources made in the same breath as the promise that is waited for. */
  beneath(wait: Wait): readonly Wait[] {
    if (wait.kind === 'native') return [wait];
    const promise = this.awaited(wait);
    if (!promise) return [];
    return this.ofRequest(promise.request).filter(
      other =>
        other.kind === 'native' &&
        other.executionId === promise.executionId &&
        other.id > promise.id - 3 &&
        other.id <= wait.id &&
        !MOMENTS.has(other.type) &&
        !isSoonOver(other, (wait.end > 0 ? wait.end : this.dump.windowMs) - wait.at),
    );
  }
}

/** The innermost frame that is not Node's or a built-in. */
export function codeFrame(wait: Wait): Frame | undefined {
  return wait.user[0] ?? wait.frames.find(frame => frame.kind === 'package');
}

/** The package that the wait happens in, from the inside: undefined when user code itself waits. */
export function innermostPackage(wait: Wait): string | undefined {
  const first = wait.frames.find(
    frame => frame.kind === 'user' || (frame.kind === 'package' && !PLUMBING.has(frame.package ?? '')),
  );
  return first?.package;
}

/** The package that the application called, of those between the wait and the application's own code. */
export function calledPackage({ frames }: Wait): string | undefined {
  const first = frames.findIndex(frame => frame.kind === 'user');
  const inside = first < 0 ? frames : frames.slice(0, first);
  return inside.findLast(frame => frame.kind === 'package' && !PLUMBING.has(frame.package ?? ''))?.package;
}

export const placeKey = (frame: Frame | undefined): string =>
  frame ? `${frame.url}:${frame.line}:${frame.column}` : '';

/** Of four steps that wait for a thread each takes a quarter; what took less of the wait is not what it waited for. */
const SOON_OVER = 0.1;

/** A message's id is drawn before the message is sent. */
const isSoonOver = (native: Wait, waitMs: number): boolean =>
  native.end > 0 && native.end - native.at <= SOON_OVER * waitMs;

const top = (wait: Wait): Frame | undefined => wait.frames.find(frame => frame.kind !== 'node');

/** Whose code a frame is. */
export function resolve(frame: AsyncFrame): Frame {
  if (frame.url === '' || isOwnCode(frame.url)) return { ...frame, kind: 'builtin' };
  if (isNodeInternal(frame.url)) return { ...frame, kind: 'node' };
  const name = frame.package ?? packageOf(frame.url);
  if (name !== undefined) return { ...frame, kind: 'package', package: name };
  return { ...frame, kind: isUserCode(frame.url) ? 'user' : 'builtin' };
}

function toWait(record: AsyncRecord, frames: readonly Frame[]): Wait {
  const { stack, ...rest } = record;
  const all = stack.flatMap(index => frames[index] ?? []);
  const own = all.slice(outsideHook(all)).filter(frame => !isHooks(frame));
  return {
    ...rest,
    kind: kindOf(record, own),
    frames: own,
    user: own.filter(frame => frame.kind === 'user'),
    pending: record.end === 0,
  };
}

const isHooks = (frame: Frame): boolean => frame.kind === 'node' && HOOKS.test(frame.url) && !isResourceMade(frame);

/** Node's class for scripts stands in the same file as the hooks, and tells a script's resource from an addon's. */
export const isResourceMade = ({ kind, function: name }: Frame): boolean =>
  kind === 'node' && /^(new )?AsyncResource$/.test(name);

/** What stands above Node's emission of a hook is our callback, which has no url: it says nothing of how the promise was made. */
function outsideHook(frames: readonly Frame[]): number {
  const emission = frames.findIndex(isHooks);
  return frames.slice(0, Math.max(0, emission)).every(frame => frame.kind === 'builtin') ? Math.max(0, emission) : 0;
}

function kindOf(record: AsyncRecord, frames: readonly Frame[]): WaitKind {
  if (record.type !== 'PROMISE') return 'native';
  const first = frames.find(frame => frame.kind !== 'node');
  if (first?.kind === 'builtin') {
    if (first.function === 'new Promise') return 'executor';
    if (/\b(all|allSettled|race|any)$/i.test(first.function)) return 'combinator';
    if (/\b(then|catch|finally)$/.test(first.function)) return 'then';
  }
  return record.triggerId !== record.executionId ? 'await' : 'async-function';
}

/** A request over a kept-alive socket starts in a later tick: that tick was scheduled by the caller. */
function adoptCallers(waits: Wait[]): Wait[] {
  const starts = new Map(waits.filter(wait => wait.type === 'HTTPSTART').map(wait => [wait.id, wait]));
  return waits.map(wait => {
    const start = wait.type === 'HTTPCLIENTREQUEST' ? starts.get(wait.executionId) : undefined;
    return start ? { ...wait, frames: start.frames, user: start.user } : wait;
  });
}

/**
 * `await query` of what has a `then` of its own (a query builder, a cancelable call): the engine makes a promise around it
 * and awaits that one, both at the same place and in the same breath.
 */
function tellThenables(waits: Wait[]): Wait[] {
  const byId = new Map(waits.map(wait => [wait.id, wait]));
  const around = new Set(
    waits.flatMap(wait => {
      const promise = wait.kind === 'await' && wait.triggerId === wait.id - 1 ? byId.get(wait.triggerId) : undefined;
      return promise?.kind === 'await' && isSameStack(promise, wait) ? promise : [];
    }),
  );
  return waits.map(wait => (around.has(wait) ? { ...wait, kind: 'thenable' } : wait));
}

const isSameStack = (a: Wait, b: Wait): boolean =>
  a.frames.length === b.frames.length && a.frames.every((frame, i) => frame === b.frames[i]);

function isNativeLeaf(wait: Wait): boolean {
  if (MOMENTS.has(wait.type) || wait.type === 'onerror') return false;
  if (wait.type === 'HTTPCLIENTREQUEST') return !wait.detail?.done;
  if (wait.type !== 'Timeout') return true;
  // A cleared one was a time limit; one that no code of the program or its packages set is Node's own.
  return wait.end !== -1 && wait.frames.some(frame => frame.kind === 'user' || frame.kind === 'package');
}
