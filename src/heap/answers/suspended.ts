import type { SuspendedCall, SuspendedChain } from '../../model/evidence/suspended.js';
import { Scripts } from './scripts.js';
import type { HeapView } from './view.js';

/** Stacks of a program that waits are short; a chain longer than this is a ring. */
const MOST_CALLS = 12;
/** Promises that only hand on: an async function that returns itself again and again makes a chain without an end. */
const MOST_FOLLOWED = 50;
/** `ctx.req`, `request.raw`: frameworks wrap the request once or twice. */
const REQUEST_HOPS = 2;
/** What has more slots is no argument of a handler: a registry, a module. */
const MOST_SLOTS = 40;

const NAMES = [
  'Promise',
  'Generator',
  'AsyncGenerator',
  'Timeout',
  'system / PromiseReaction',
  'system / PromiseCapability',
];
const REQUESTS = new Set(['IncomingMessage', 'ServerResponse', 'Http2ServerRequest', 'Http2ServerResponse']);
/** What any object leads to and says nothing of it. */
const EVERYBODYS = new Set(['map', '__proto__', 'previous', 'native_context', 'scope_info', 'function', 'constructor']);

/**
 * Everything that waits for a promise, from the promises' reactions (V8: JSPromise::reactions_or_result → PromiseReaction →
 * the handler's context, whose extension is the JSGeneratorObject of an await).
 */
export function suspendedChains(view: HeapView): SuspendedChain[] {
  const waits = new Waiters(view);
  const inner = new Map<number, readonly number[]>();
  const isAwaited = new Set<number>();
  for (const promise of waits.pending()) for (const waiter of waits.of(promise)) inner.set(waiter, []);
  for (const waiter of inner.keys()) {
    const outer = waits.outward(waiter);
    inner.set(waiter, outer);
    for (const one of outer) isAwaited.add(one);
  }
  const timed = waits.timed();
  const leaves = [...inner.keys()].filter(waiter => !isAwaited.has(waiter));
  return leaves.map(leaf => {
    const chain = outwards(leaf, inner);
    return {
      calls: chain.flatMap(waiter => waits.say(waiter) ?? []),
      timed: timed.has(leaf),
      serving: chain.some(waiter => waits.hasRequest(waiter)),
    };
  });
}

/** Chains of the same functions, the most first: `id` of one of its innermost. */
export interface WaitingRow {
  readonly count: number;
  /** Of these, how many a timer settles, and how many have a request of node:http at hand. */
  readonly timed: number;
  readonly serving: number;
  readonly id: number | undefined;
  /** Innermost first, each where it is written. */
  readonly functions: readonly Pick<SuspendedCall, 'function' | 'place'>[];
}

/** What waits, as rows for people. */
export function waitingRows(view: HeapView, scripts: Scripts): WaitingRow[] {
  const rows = new Map<string, { row: WaitingRow; count: number; timed: number; serving: number }>();
  for (const { calls, timed, serving } of suspendedChains(view)) {
    const functions = calls.map(call => ({ function: call.function, place: scripts.written(call.place) }));
    const key = functions.map(({ place }) => `${place.url}:${place.line}:${place.column}`).join(' ');
    const sum = rows.get(key) ?? {
      row: { count: 0, timed: 0, serving: 0, id: calls[0]?.id, functions },
      count: 0,
      timed: 0,
      serving: 0,
    };
    if (functions.length > 0) rows.set(key, sum);
    sum.count++;
    sum.timed += Number(timed);
    sum.serving += Number(serving);
  }
  const all = [...rows.values()].map(({ row, count, timed, serving }) => ({ ...row, count, timed, serving }));
  return all.sort((a, b) => b.count - a.count);
}

function outwards(leaf: number, outer: ReadonlyMap<number, readonly number[]>): number[] {
  const chain: number[] = [];
  for (let at: number | undefined = leaf; at !== undefined && chain.length < MOST_CALLS; at = outer.get(at)?.[0]) {
    if (chain.includes(at)) break;
    chain.push(at);
  }
  return chain;
}

/** Who goes on by a reaction, and the promises that it settles in turn. */
interface Next {
  readonly waiters: readonly number[];
  readonly promises: readonly number[];
}

class Waiters {
  private readonly scripts: Scripts;
  /** The promise that a waiter settles when it goes on. */
  private readonly settles = new Map<number, number>();
  private readonly waiting = new Map<number, readonly number[]>();
  private readonly names: ReadonlyMap<number, string>;

  constructor(private readonly view: HeapView) {
    this.scripts = new Scripts(view);
    this.names = view.heap.file.strings.find(NAMES);
  }

  /** Promises that somebody waits for. */
  *pending(): Generator<number> {
    for (let node = 0; node < this.view.nodeCount; node++) if (this.reaction(node) !== undefined) yield node;
  }

  /** Who goes on when this promise settles: through Promise.all and its kin, through promises that follow it. */
  of(promise: number): readonly number[] {
    const known = this.waiting.get(promise);
    if (known) return known;
    const found = new Set<number>();
    const promises = new Set([promise]);
    let followed = 0;
    for (const one of promises) {
      if (followed++ >= MOST_FOLLOWED) break;
      for (const reaction of this.reactions(one)) {
        const next = this.ofReaction(reaction);
        for (const waiter of next.waiters) found.add(waiter);
        for (const other of next.promises) promises.add(other);
      }
    }
    const waiters = [...found];
    this.waiting.set(promise, waiters);
    return waiters;
  }

  outward(waiter: number): readonly number[] {
    const promise = this.settles.get(waiter);
    return promise === undefined ? [] : this.of(promise);
  }

  /** Who waits for a promise that the callback of a timer resolves. */
  timed(): ReadonlySet<number> {
    const found = new Set<number>();
    for (let node = 0; node < this.view.nodeCount; node++) {
      const callback = this.isObject(node, 'Timeout') ? this.view.child(node, 'property', '_onTimeout') : undefined;
      if (callback === undefined) continue;
      for (const promise of this.resolvedBy(callback)) for (const waiter of this.of(promise)) found.add(waiter);
    }
    return found;
  }

  say(waiter: number): SuspendedCall | undefined {
    const isFunction = this.isGenerator(waiter);
    const closure = isFunction ? this.view.child(waiter, 'internal', 'function') : waiter;
    const place = closure === undefined ? undefined : this.scripts.place(closure);
    if (closure === undefined || place === undefined) return undefined;
    return { id: isFunction ? this.view.id(waiter) : undefined, function: this.view.name(closure), place };
  }

  /** Among the arguments and variables of a suspended function, or one step behind them. */
  hasRequest(waiter: number): boolean {
    const registers = this.view.child(waiter, 'internal', 'parameters_and_registers');
    const context = this.view.child(waiter, 'internal', 'context');
    return [registers, context].some(slots => slots !== undefined && this.leadsToRequest(slots, REQUEST_HOPS + 1));
  }

  private leadsToRequest(node: number, hops: number): boolean {
    if (REQUESTS.has(this.view.name(node))) return true;
    if (hops === 0) return false;
    const edges = [...this.view.edges(node)].filter(edge => !EVERYBODYS.has(this.view.edgeName(edge)));
    if (edges.length > MOST_SLOTS) return false;
    return edges.some(
      edge =>
        this.view.type(this.view.target(edge)) === 'object' && this.leadsToRequest(this.view.target(edge), hops - 1),
    );
  }

  private ofReaction(reaction: number): Next {
    const { view } = this;
    const targets = [...view.edges(reaction)].map(edge => view.target(edge));
    const derived = targets.filter(node => this.isPromise(node));
    const handlers = targets.filter(node => view.type(node) === 'closure');
    const own = handlers.find(handler => this.isWritten(handler));
    if (own !== undefined) {
      if (derived[0] !== undefined) this.settles.set(own, derived[0]);
      return { waiters: [own], promises: [] };
    }
    const through = handlers.map(handler => this.throughBuiltin(handler));
    const waiters = through.flatMap(next => next.waiters);
    // `finally`, and a `then` that only hands on, settle the promise that they made.
    return { waiters, promises: [...through.flatMap(next => next.promises), ...(waiters.length > 0 ? [] : derived)] };
  }

  /** An await's handler leads to its function; that of Promise.all, or of a promise that follows, to another promise. */
  private throughBuiltin(handler: number): Next {
    const context = this.view.child(handler, 'internal', 'context');
    if (context === undefined) return { waiters: [], promises: [] };
    const generator = this.view.child(context, 'internal', 'extension');
    if (generator === undefined || !this.isGenerator(generator))
      return { waiters: [], promises: this.promisesOf(context) };
    return { waiters: [this.suspended(generator)], promises: [] };
  }

  private suspended(generator: number): number {
    for (const edge of this.view.edges(generator)) {
      // JSAsyncFunctionObject::promise has no name in the file.
      if (this.view.edgeType(edge) === 'hidden' && this.isPromise(this.view.target(edge)))
        this.settles.set(generator, this.view.target(edge));
    }
    return generator;
  }

  private resolvedBy(callback: number): readonly number[] {
    const context = this.view.child(callback, 'internal', 'context');
    if (context === undefined) return [];
    if (!this.isWritten(callback)) return this.promisesOf(context);
    const variables = [...this.view.edges(context)].filter(edge => this.view.edgeType(edge) === 'context');
    return variables
      .map(edge => this.view.target(edge))
      .filter(node => this.view.type(node) === 'closure' && !this.isWritten(node))
      .flatMap(resolve => this.resolvedBy(resolve));
  }

  /** Promises in the slots of a built-in's context, or in the capability that stands there. */
  private promisesOf(context: number): readonly number[] {
    const slots = [...this.view.edges(context)]
      .filter(edge => !EVERYBODYS.has(this.view.edgeName(edge)))
      .map(edge => this.view.target(edge));
    const capabilities = slots.filter(node => this.isCalled(node, 'system / PromiseCapability'));
    const within = capabilities.flatMap(node => [...this.view.edges(node)].map(edge => this.view.target(edge)));
    return [...new Set([...slots, ...within].filter(node => this.isPromise(node)))];
  }

  private reaction(promise: number): number | undefined {
    if (!this.isObject(promise, 'Promise')) return undefined;
    const held = this.view.child(promise, 'internal', 'reactions_or_result');
    return held !== undefined && this.isReaction(held) ? held : undefined;
  }

  private *reactions(promise: number): Generator<number> {
    for (let reaction = this.reaction(promise); reaction !== undefined; reaction = this.next(reaction)) yield reaction;
  }

  private next(reaction: number): number | undefined {
    for (const edge of this.view.edges(reaction)) {
      if (this.isReaction(this.view.target(edge))) return this.view.target(edge);
    }
    return undefined;
  }

  /** Built-in functions have no script. */
  private isWritten(closure: number): boolean {
    return this.scripts.urlOfClosure(closure) !== undefined;
  }

  private isReaction = (node: number): boolean => this.isCalled(node, 'system / PromiseReaction');
  private isPromise = (node: number): boolean => this.isObject(node, 'Promise');
  private isGenerator = (node: number): boolean =>
    this.isObject(node, 'Generator') || this.isObject(node, 'AsyncGenerator');

  private isObject(node: number, name: string): boolean {
    return this.isCalled(node, name) && this.view.type(node) === 'object';
  }

  private isCalled(node: number, name: string): boolean {
    return this.names.get(this.view.heap.file.nameIndex[node]!) === name;
  }
}
