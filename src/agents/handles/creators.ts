import { type OwnHook, ownHook } from '../async-hook.js';
import type { PartHost } from '../host.js';
import type { Inside } from '../inside.js';
import { own, type Peek, peeker } from '../peek.js';
import { type Captured, capture, framesOf, isProgram } from '../stack.js';
import { watchOpens } from './opens.js';
import type { RawCreator, RawCreators } from './raw.js';

/** Open handles of one type that are remembered with their stack (about 10 µs each). */
const MAX_KEPT = 400;
/** And this many captured in all, dead ones included: 30 ms of cpu at most. */
const MAX_CAPTURED = 3_000;
const MAX_CAUSES = 4_000;
const MAX_TOLD = 60;

/** async_hooks types by the kind that lens asks for. */
const TYPES: { readonly [kind: string]: readonly string[] } = {
  timer: ['Timeout'],
  socket: ['TCPWRAP', 'PIPEWRAP', 'UDPWRAP'],
  child: ['PROCESSWRAP'],
  watcher: ['FSEVENTWRAP', 'STATWATCHER'],
  file: ['FILEHANDLE'],
  worker: ['WORKER'],
  other: ['TTYWRAP', 'MESSAGEPORT', 'DNSCHANNEL', 'SIGNALWRAP', 'TCPSERVERWRAP', 'PIPESERVERWRAP'],
};

/** What Node calls a moment later than the user's call; its tick carries the user's stack. */
const LATE = new Set(['constructNT', 'onSocketNT']);

const STREAMS = new Set(['TCPWRAP', 'PIPEWRAP', 'UDPWRAP']);
/** Published for each outgoing request, on Node 18 and later. */
const REQUEST_CHANNELS = ['http.client.request.start', 'undici:request:create'];

export interface Wanted {
  readonly kinds: readonly string[];
  /** Timers of these durations only: others may come by the thousand. */
  readonly timerMs?: readonly number[];
}

export interface Creation {
  readonly type: string;
  readonly captured: Captured;
  /** The stack of what led to it, where it was made in a later tick. */
  cause: Captured | undefined;
  /** Undefined when it can't be told. */
  alive(): boolean | undefined;
}

/** Records where handles are made, between construction and `stop`. */
export class CreatorWatch {
  private kept: Creation[] = [];
  private readonly captured = new Map<string, number>();
  /** Stacks of ticks and of promises that file requests settle, by async id. */
  private readonly causes = new Map<number, Captured>();
  private readonly types: ReadonlySet<string>;
  private readonly durations: ReadonlySet<number> | undefined;
  private readonly hook: OwnHook;
  private readonly undoOpens: () => void;
  private readonly executionAsyncId: () => number;
  private readonly peek: Peek;
  private lastPromise = 0;
  private unclaimed: Creation | undefined;
  private readonly undoRequests: () => void;
  private clientRequests = 0;
  private errors = 0;
  private stopped = false;

  constructor(
    host: PartHost,
    inside: Inside,
    private readonly natives: () => object[],
    { kinds, timerMs }: Wanted,
  ) {
    const hooks = host.require('node:async_hooks') as typeof import('node:async_hooks');
    this.types = new Set(kinds.flatMap(kind => TYPES[kind] ?? []));
    this.durations = timerMs && new Set(timerMs);
    this.executionAsyncId = hooks.executionAsyncId;
    this.peek = peeker(host);
    const files = kinds.includes('file');
    // An exception that leaves a hook ends the process: whatever happens in here stays in here.
    const init = (asyncId: number, type: string, triggerId: number, resource: object): void => {
      try {
        if (type === 'PROMISE') this.lastPromise = asyncId;
        else if (this.types.has(type)) this.record(type, init, resource, asyncId, triggerId);
        else this.rememberCause(type, init, resource, asyncId, files);
      } catch {
        this.errors += 1;
      }
    };
    // A file handle is made by native code just before the promise of its request is settled.
    const promiseResolve = (asyncId: number): void => {
      try {
        this.claim(asyncId);
      } catch {
        this.errors += 1;
      }
    };
    this.hook = ownHook(host, files ? { init, promiseResolve } : { init }, () => {
      this.errors += 1;
    });
    this.undoOpens = files
      ? watchOpens(
          host,
          inside,
          () => this.cause(0),
          creation => this.keep(creation),
        )
      : () => undefined;
    this.undoRequests = countRequests(host, () => {
      this.clientRequests += 1;
    });
    this.hook.enable();
  }

  /** Takes the hook back and tells what was made, grouped by stack. */
  stop(): RawCreators {
    if (this.stopped) return { creators: [], clientRequests: this.clientRequests };
    this.stopped = true;
    this.hook.disable();
    this.undoOpens();
    this.undoRequests();
    return { creators: this.tell(), clientRequests: this.clientRequests };
  }

  private rememberCause(type: string, below: Below, resource: object, asyncId: number, files: boolean): void {
    if (this.causes.size >= MAX_CAUSES) return;
    // The request's promise is made right before the request itself.
    if (type === 'FSREQPROMISE' && files) this.causes.set(this.lastPromise, capture(below));
    if (type !== 'TickObject') return;
    const name = this.peek(own(resource, 'callback'), 'name');
    if (typeof name === 'string' && LATE.has(name)) this.causes.set(asyncId, capture(below));
  }

  private claim(promiseId: number): void {
    if (this.unclaimed === undefined) return;
    this.unclaimed.cause = this.causes.get(promiseId);
    this.unclaimed = undefined;
  }

  private cause(triggerId: number): Captured | undefined {
    return this.causes.get(this.executionAsyncId()) ?? this.causes.get(triggerId);
  }

  private record(type: string, below: Below, resource: object, asyncId: number, triggerId: number): void {
    const isOtherTimer = type === 'Timeout' && this.durations?.has(Number(own(resource, '_idleTimeout'))) === false;
    if (isOtherTimer || !this.hasRoom(type)) return;
    const weak = new WeakRef(resource);
    const alive = () => this.isAlive(type, weak.deref(), asyncId);
    const creation: Creation = { type, captured: capture(below), cause: this.cause(triggerId), alive };
    if (type === 'FILEHANDLE') this.unclaimed = creation;
    this.kept.push(creation);
  }

  private keep(creation: Creation): void {
    if (this.hasRoom(creation.type)) this.kept.push(creation);
  }

  /** Makes room by forgetting what is closed: what leaks stays, however much comes and goes beside it. */
  private hasRoom(type: string): boolean {
    const captured = (this.captured.get(type) ?? 0) + 1;
    if (captured > MAX_CAPTURED) return false;
    this.captured.set(type, captured);
    if (captured % MAX_KEPT === 0) {
      this.open = undefined;
      this.kept = this.kept.filter(creation => creation.type !== type || creation.alive() !== false);
    }
    return this.kept.length < MAX_KEPT * this.types.size;
  }

  private isAlive(type: string, resource: object | undefined, asyncId: number): boolean | undefined {
    if (resource === undefined) return false;
    if (type === 'Timeout') return own(resource, '_destroyed') !== true;
    if (type === 'FILEHANDLE') return Number((resource as { fd?: number }).fd ?? -1) >= 0; // Node's own native class
    if (type === 'WORKER') return undefined;
    // A closed stream's descriptor is negative. The list of active handles lacks those that were unref'ed.
    if (STREAMS.has(type)) return Number((resource as { fd?: number }).fd ?? -1) >= 0;
    this.open ??= openNow(this.natives());
    // A message port has no id that could be asked for: it is its own handle.
    return type === 'MESSAGEPORT' ? this.open.objects.has(resource) : this.open.ids.has(asyncId);
  }

  /** The native handles that are open now. */
  private open: OpenNow | undefined;

  private tell(): RawCreator[] {
    this.open = undefined;
    const stacks = framesOf(this.kept.map(({ captured }) => captured));
    const causes = framesOf(this.kept.map(({ cause }) => cause ?? {}));
    const groups = new Map<string, Told>();
    this.kept.forEach((creation, i) => {
      const frames = [...(stacks[i] ?? []), ...(causes[i] ?? [])].filter(isProgram);
      const key = `${creation.type} ${frames.map(({ url, line, column }) => `${url}:${line}:${column}`).join(' ')}`;
      const group = groups.get(key) ?? { type: creation.type, count: 0, alive: 0, followed: 0, frames };
      const alive = creation.alive();
      group.count += 1;
      if (alive !== undefined) group.followed += 1;
      if (alive === true) group.alive += 1;
      groups.set(key, group);
    });
    return [...groups.values()].sort((a, b) => b.alive - a.alive || b.count - a.count).slice(0, MAX_TOLD);
  }
}

interface OpenNow {
  readonly ids: ReadonlySet<number>;
  readonly objects: ReadonlySet<object>;
}

const openNow = (natives: readonly object[]): OpenNow => ({
  ids: new Set(natives.map(idOf)),
  objects: new Set(natives),
});

type Below = (...args: never[]) => unknown;
type Told = { -readonly [K in keyof RawCreator]: RawCreator[K] };

function countRequests(host: PartHost, count: () => void): () => void {
  const channels = host.require('node:diagnostics_channel') as typeof import('node:diagnostics_channel');
  for (const name of REQUEST_CHANNELS) channels.subscribe(name, count);
  return () =>
    host.atRest(() => {
      for (const name of REQUEST_CHANNELS) channels.unsubscribe(name, count);
    });
}

function idOf(native: object): number {
  const get = (native as { getAsyncId?: unknown }).getAsyncId; // native handles' own method
  return typeof get === 'function' ? Number(get.call(native)) : -1;
}
