// The hook of the window. It runs inside of every async operation of the target: no promise, no closure, no throw in it.
import { type OwnHook, ownHook } from '../async-hook.js';
import type { PartHost } from '../host.js';
import { own, type Peek, peeker } from '../peek.js';
import { capture } from '../stack.js';

export interface Budget {
  /** Records a second over which no further request is taken in. */
  readonly perSecond: number;
  readonly perRequest: number;
  readonly all: number;
  /** Records of work that belongs to no request. */
  readonly outside: number;
  readonly stackLimit: number;
}

export interface Record {
  readonly id: number;
  readonly type: string;
  readonly executionId: number;
  readonly triggerId: number;
  readonly request: number;
  readonly at: number;
  end: number;
  /** Holds the captured, not yet formatted stack. */
  stack: { stack?: unknown } | null;
  resource: Resource | null;
}

/** Fields of native resources that say what is waited for. */
export interface Resource {
  readonly args?: readonly { readonly writableLength?: number }[];
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly _idleTimeout?: number;
  readonly _repeat?: number | null;
  readonly _destroyed?: boolean;
  getpeername?(into: { address?: string; port?: number }): number;
  hasRef?(): boolean;
  readonly req?: {
    readonly host?: string;
    readonly port?: unknown;
    readonly path?: string;
    readonly destroyed?: boolean;
    readonly res?: { readonly complete?: boolean } | null;
  };
}

type AsyncHooks = typeof import('node:async_hooks');

/** Enough async ids for a window of five seconds at 200 000 a second; beyond it, requests are no longer told apart. */
const IDS = 1 << 20;

/** Read after the window: what became of them says more than when they were called. */
const KEPT = new Set(['HTTPCLIENTREQUEST', 'HTTPWRITE', 'NETCONNECT']);

/** Samples of who writes responses; every line that writes often is among them. */
const MOST_WRITES = 300;
const MOST_CONNECTS = 300;

/** Bookkeeping of Node: it only carries the request on, and is never what somebody waits for. */
const CARRIERS = new Set([
  'TickObject',
  'Immediate',
  'HTTPINCOMINGMESSAGE',
  'Microtask',
  'QUEUEMICROTASK',
  'TCPSERVERWRAP',
  'SIGNALWRAP',
  'TTYWRAP',
  'SHUTDOWNWRAP',
  'TCPWRAP',
  'PIPEWRAP',
  'STREAM_END_OF_STREAM',
  'bound-anonymous-fn',
  'AsyncGeneratorWrap',
  'LENS',
]);

/** Which request everything belongs to, and who waits where: async_hooks `init`, `promiseResolve`, `before`. */
export class Recorder {
  readonly records: Record[] = [];
  inits = 0;
  dropped = 0;
  droppedPerRequest = 0;
  errors = 0;

  private readonly live = new Map<number, Record>();
  private readonly requestOf = new Int32Array(IDS);
  /** Requests on connections that are older than the window: their async ids lie below `base`. */
  private readonly requestOfOld = new Map<number, number>();
  private readonly recorded: boolean[] = [true];
  private readonly perRequest: number[] = [0];
  private readonly base: number;
  private readonly executionAsyncId: () => number;
  private readonly hook: OwnHook;
  private outside = 0;
  private writes = 0;
  private connects = 0;
  private readonly peek: Peek;
  private readonly startedAt: number;

  constructor(
    private readonly host: PartHost,
    private readonly budget: Budget,
  ) {
    const hooks = host.require('node:async_hooks') as AsyncHooks;
    this.executionAsyncId = hooks.executionAsyncId;
    this.peek = peeker(host);
    // Only its number is wanted; a program that keeps a book of resources is told of its end.
    this.base = new hooks.AsyncResource('LENS', { requireManualDestroy: true }).emitDestroy().asyncId();
    this.startedAt = host.now();
    const callbacks = {
      init: this.makeInit(),
      promiseResolve: (id: number) => this.settle(id, true),
      before: (id: number) => this.settle(id, false),
    };
    this.hook = ownHook(host, callbacks, () => {
      this.errors++;
    });
  }

  enable(): void {
    this.hook.enable();
  }

  disable(): void {
    this.hook.disable();
  }

  /** Request `index` begins in the current execution context; a kept-alive connection's context passes to its newest. */
  beginRequest(index: number): boolean {
    const elapsed = (this.host.now() - this.startedAt) / 1000;
    const recorded = this.records.length < this.budget.perSecond * (elapsed + 0.3);
    this.recorded[index] = recorded;
    this.perRequest[index] = 0;
    const id = this.executionAsyncId();
    if (id < this.base) this.requestOfOld.set(id, index);
    else if (id - this.base < IDS) this.requestOf[id - this.base] = index;
    return recorded;
  }

  currentRequest(): number {
    return this.requestAt(this.executionAsyncId());
  }

  private requestAt(id: number): number {
    if (id < this.base) return this.requestOfOld.get(id) ?? 0;
    return this.requestOf[id - this.base] ?? 0;
  }

  /** An exception that leaves a hook ends the process: whatever happens in here stays in here. */
  private makeInit() {
    const { stackLimit } = this.budget;
    const init = (id: number, type: string, triggerId: number, resource: Resource): void => {
      try {
        const kept = this.admit(id, type, resource);
        if (kept === undefined) return;
        const executionId = this.executionAsyncId();
        const record: Record = {
          id,
          type: kept,
          executionId,
          triggerId,
          request: this.requestAt(executionId),
          at: this.host.now(),
          end: 0,
          stack: capture(init, stackLimit),
          resource: type === 'PROMISE' ? null : resource,
        };
        this.records.push(record);
        this.live.set(id, record);
      } catch {
        this.errors++;
      }
    };
    // Typed `object` by Node; every resource may have any of these fields.
    return init as (id: number, type: string, triggerId: number, resource: object) => void;
  }

  /** Passes the request on to `id`; returns the type to record it under, or undefined when it isn't recorded. */
  private admit(id: number, type: string, resource: Resource): string | undefined {
    this.inits++;
    const request = this.requestAt(this.executionAsyncId());
    if (request && id - this.base < IDS) this.requestOf[id - this.base] = request;
    const kept = CARRIERS.has(type) ? startOfCall(type, resource, this.executionAsyncId(), this.peek) : type;
    if (kept === 'HTTPWRITE') return this.writes++ < MOST_WRITES ? kept : undefined;
    if (kept === 'NETCONNECT') return this.connects++ < MOST_CONNECTS ? kept : undefined;
    if (kept === undefined || (request && !this.recorded[request]) || !this.affords(request)) return undefined;
    return kept;
  }

  private affords(request: number): boolean {
    if (this.records.length >= this.budget.all) {
      this.dropped++;
      return false;
    }
    if (!request) return this.outside++ < this.budget.outside;
    const used = (this.perRequest[request] ?? 0) + 1;
    this.perRequest[request] = used;
    if (used > this.budget.perRequest) this.droppedPerRequest++;
    return used <= this.budget.perRequest;
  }

  private settle(id: number, isPromise: boolean): void {
    try {
      this.end(id, isPromise);
    } catch {
      this.errors++;
    }
  }

  /** A promise ends when it settles; anything else when its callback is called the first time. */
  private end(id: number, isPromise: boolean): void {
    const record = this.live.get(id);
    if (record === undefined || (record.type === 'PROMISE') !== isPromise || KEPT.has(record.type)) return;
    record.end = this.host.now();
    record.resource = null;
    this.live.delete(id);
  }
}

/** Two of Node's ticks carry the caller's stack: handing a socket to an http.request, and flushing a response's write. */
const CALLS: { readonly [callback: string]: string } = { onSocketNT: 'HTTPSTART', connectionCorkNT: 'HTTPWRITE' };

function startOfCall(type: string, resource: Resource, executionId: number, peek: Peek): string | undefined {
  // An accepted connection is made by libuv, outside of any execution; one that the program opens is not.
  if (type === 'TCPWRAP') return executionId === 0 ? undefined : 'NETCONNECT';
  if (type !== 'TickObject') return undefined;
  const name = peek(own(resource, 'callback'), 'name');
  return typeof name === 'string' ? CALLS[name] : undefined;
}
