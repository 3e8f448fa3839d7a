// Runs inside the target. What logpoints call: it reads values without running the program's code, keeps to its
// limits, and never pauses or throws.
import type { InstallPart, Part } from '../host.js';
import { type AnyFunction, passThrough, quietly, replaceMethod } from '../replace.js';
import { capture, framesOf, isProgram, type RawFrame, sitesOf } from '../stack.js';
import { FollowedCall } from './followed.js';
import { OpenCalls } from './open-calls.js';
import { printer } from './print.js';
import type { RawHit, RawPlan, RawSlot, RawTrace, RawValues } from './raw.js';
import { type Lookup, reader, type Tree, Unread } from './read.js';

/** A property of globalThis, because a condition sees whatever names the function shadows. */
const REACHED = '__lensTrace';
/** Shown frames, and how deep a stack is counted to tell recursion from a next call. */
const FRAMES = 12;
const COUNTED_DEPTH = 400;

/** Methods of the part `trace`. */
export interface TracePart extends Part {
  /** Begins; answers the name of the global that conditions call. */
  open(plan: RawPlan): string;
  /** How often each logpoint was reached, in the order of the plan. */
  counts(): readonly number[];
  take(): RawTrace;
  close(): void;
}

type Thunk = () => unknown;

const install: InstallPart = (host): TracePart => {
  const { construct, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const { isProxy } = (host.require('node:util') as typeof import('node:util')).types;
  const read = reader(host);
  const print = printer(host);

  let plan: RawPlan | undefined;
  let startedAt = 0;
  let hits: RawHit[] = [];
  let given = 0;
  let skipped = 0;
  let reached: number[] = [];
  let tokens = 0;
  let refilledAt = 0;
  let timed = { calls: 0, totalMs: 0, maxMs: 0 };
  let followed: { call: FollowedCall; point: number; atMs: number } | undefined;
  let wrapped: RawTrace['wrapped'];
  let unwrap: (() => void) | undefined;
  const open = new OpenCalls();

  /** A bucket of one second's hits. */
  const admitted = (): boolean => {
    const limit = plan as RawPlan;
    const now = host.now();
    tokens = Math.min(limit.perSecond, tokens + ((now - refilledAt) / 1000) * limit.perSecond);
    refilledAt = now;
    if (given >= limit.hits) return false;
    if (tokens < 1) {
      skipped += 1;
      return false;
    }
    tokens -= 1;
    given += 1;
    return true;
  };

  const isOver = (limit: RawPlan): boolean => host.now() - startedAt > limit.ttlMs;

  const lookupOf =
    (names: readonly string[], thunks: readonly Thunk[]): Lookup =>
    name => {
      const thunk = thunks[names.indexOf(name)];
      if (thunk === undefined) throw new Error(name);
      return thunk();
    };

  const evaluated = (tree: Tree, lookup: Lookup): unknown => {
    try {
      return read(tree, lookup);
    } catch {
      return new Unread('(not available here)');
    }
  };

  const sayValue = (value: unknown): string => (value instanceof Unread ? value.why : print(value));

  const valuesOf = (shown: readonly string[], lookup: Lookup): RawValues => {
    const { expressions } = plan as RawPlan;
    const values: Record<string, string> = {};
    for (const { text, tree } of expressions) values[text] = sayValue(evaluated(tree, lookup));
    if (expressions.length > 0) return values;
    for (const name of shown) {
      try {
        values[name] = print(lookup(name));
      } catch {
        // Not bound yet, or optimized away: left out.
      }
    }
    return values;
  };

  const holds = (lookup: Lookup): boolean => {
    const { condition } = plan as RawPlan;
    if (condition === undefined) return true;
    const value = evaluated(condition, lookup);
    return !(value instanceof Unread) && !!value;
  };

  const identityOf = (slot: RawSlot, lookup: Lookup): readonly unknown[] => {
    const { key } = plan as RawPlan;
    if (key !== undefined) return [evaluated(key, lookup)];
    return slot.identity.map(name => evaluated({ type: 'Identifier', name }, lookup));
  };

  const stackOf = (below: (...args: never[]) => unknown): { frames?: RawFrame[] } => {
    if (!plan?.stack) return {};
    const frames = framesOf([capture(below)])[0] ?? [];
    return { frames: frames.filter(isProgram).slice(0, FRAMES) };
  };

  const depthNow = (): number => sitesOf([capture(onReached, COUNTED_DEPTH)])[0]?.length ?? 0;

  const onEnter = (slot: RawSlot, lookup: Lookup): void => {
    const limit = plan as RawPlan;
    if (!holds(lookup)) return;
    // Printed now, because the program may change what it was given; only while there is room for another hit.
    const values = given < limit.hits ? valuesOf(slot.shown, lookup) : {};
    open.enter({ identity: identityOf(slot, lookup), at: host.now(), point: slot.point, values: () => values });
  };

  const onLeave = (slot: RawSlot, lookup: Lookup): void => {
    const left = open.leave(identityOf(slot, lookup), (plan as RawPlan).interleaves);
    if (left === undefined) return;
    const { call, approximate } = left;
    const durationMs = host.now() - call.at;
    count(durationMs);
    if (!admitted()) return;
    const also = approximate ? { approximate } : {};
    hits.push({
      atMs: call.at - startedAt,
      point: call.point,
      values: call.values(),
      durationMs,
      ...also,
      ...stackOf(onReached),
    });
  };

  const count = (durationMs: number): void => {
    timed = {
      calls: timed.calls + 1,
      totalMs: timed.totalMs + durationMs,
      maxMs: Math.max(timed.maxMs, durationMs),
    };
  };

  const finish = (threw: boolean): void => {
    if (followed === undefined) return;
    const { call, point, atMs } = followed;
    followed = undefined;
    hits.push(call.end(point, atMs, host.now(), threw));
  };

  /** Line slots of one function: the first is its entry. */
  const onLine = (slot: RawSlot, at: number, lookup: Lookup): void => {
    const limit = plan as RawPlan;
    const isEntry = limit.slots[at - 1]?.point !== slot.point;
    if (isEntry) begin(slot, lookup, limit);
    if (followed?.point !== slot.point || !isFollowed(slot, lookup)) return;
    followed.call.add(slot, host.now(), () => valuesOf(slot.shown, lookup));
  };

  const begin = (slot: RawSlot, lookup: Lookup, limit: RawPlan): void => {
    const depth = limit.interleaves ? 0 : depthNow();
    if (followed?.call.isGone(depth)) finish(true);
    if (followed !== undefined) {
      if (followed.point === slot.point && isFollowed(slot, lookup)) followed.call.enterAgain();
      return;
    }
    if (!holds(lookup) || !admitted()) return;
    const now = host.now();
    const call = new FollowedCall(identityOf(slot, lookup), depth, now, limit.interleaves);
    followed = { call, point: slot.point, atMs: now - startedAt };
  };

  /** On one stack only the followed call's own lines come before its end; interleaving calls are told apart by their objects. */
  const isFollowed = (slot: RawSlot, lookup: Lookup): boolean => {
    if (!plan?.interleaves || followed === undefined) return true;
    const identity = identityOf(slot, lookup);
    return followed.call.identity.every(
      (value, at) => typeof value !== 'object' || value === null || value === identity[at],
    );
  };

  const leaveLine = (slot: RawSlot, lookup: Lookup): void => {
    if (followed?.point !== slot.point || !isFollowed(slot, lookup)) return;
    if (followed.call.leave()) finish(false);
  };

  /** The object that has the method, found from a receiver: `this` and its prototypes. */
  const holderOf = (self: unknown, name: string): object | undefined => {
    if (typeof self !== 'object' && typeof self !== 'function') return undefined;
    for (let at: object | null = self; at !== null && !isProxy(at); at = getPrototypeOf(at)) {
      const slot = getOwnPropertyDescriptor(at, name);
      if (slot !== undefined) return typeof slot.value === 'function' && at !== globalThis ? at : undefined;
    }
    return undefined;
  };

  const onReceiver = (lookup: Lookup): void => {
    const method = plan?.method;
    if (wrapped !== undefined || method === undefined) return;
    const holder = holderOf(evaluated({ type: 'ThisExpression' }, lookup), method.name);
    if (holder !== undefined) unwrap = replaceMethod(holder, method.name, original => standInFor(original, method));
    const stands = holder !== undefined && wrapping;
    wrapped = stands ? 'yes' : 'no';
  };

  let wrapping = false;
  const standInFor = (original: AnyFunction, method: NonNullable<RawPlan['method']>): AnyFunction => {
    wrapping = true;
    const standIn = function (this: unknown, ...args: unknown[]): unknown {
      if (new.target) return construct(original, args, new.target === standIn ? original : new.target);
      if (plan === undefined || isOver(plan)) return passThrough(original, this, args, standIn);
      const at = host.now();
      let result: unknown;
      let threw = true;
      try {
        result = passThrough(original, this, args, standIn);
        threw = false;
        return result;
      } finally {
        quietly(() => onWrapped(method, at, { self: this, args, result, threw }, standIn));
      }
    };
    return standIn;
  };

  interface Call {
    readonly self: unknown;
    readonly args: readonly unknown[];
    readonly result: unknown;
    readonly threw: boolean;
  }

  const onWrapped = (
    { parameters }: NonNullable<RawPlan['method']>,
    at: number,
    { self, args, result, threw }: Call,
    standIn: AnyFunction,
  ): void => {
    const durationMs = host.now() - at;
    count(durationMs);
    reached[0] = (reached[0] ?? 0) + 1;
    const lookup: Lookup = name => {
      if (name === 'this') return self;
      const index = parameters.indexOf(name);
      if (index < 0) throw new Error(name);
      return args[index];
    };
    if (plan === undefined || !holds(lookup) || !admitted()) return;
    const outcome = threw ? { threw } : { returned: print(result) };
    hits.push({
      atMs: at - startedAt,
      point: 0,
      values: valuesOf(parameters, lookup),
      durationMs,
      ...outcome,
      ...stackOf(standIn),
    });
  };

  const onReached = (at: number, ...thunks: Thunk[]): false => {
    const slot = plan?.slots[at];
    if (plan === undefined || slot === undefined || isOver(plan)) return false;
    reached[at] = (reached[at] ?? 0) + 1;
    quietly(() => {
      const lookup = lookupOf(slot.names, thunks);
      if (slot.role === 'enter') onEnter(slot, lookup);
      else if (slot.role === 'leave') (followsLines() ? leaveLine : onLeave)(slot, lookup);
      else if (slot.role === 'line') onLine(slot, at, lookup);
      else if (slot.role === 'wrap') onReceiver(lookup);
      else if (holds(lookup) && admitted())
        hits.push({
          atMs: host.now() - startedAt,
          point: slot.point,
          values: valuesOf(slot.shown, lookup),
          ...stackOf(onReached),
        });
    });
    return false;
  };

  const followsLines = (): boolean => plan?.slots.some(({ role }) => role === 'line') ?? false;

  const close = (): void => {
    plan = undefined;
    unwrap?.();
    unwrap = undefined;
    wrapping = false;
    wrapped = undefined;
    followed = undefined;
    open.clear();
    deleteProperty(globalThis, REACHED);
  };

  return {
    open(next) {
      close();
      plan = next;
      startedAt = refilledAt = host.now();
      hits = [];
      given = skipped = 0;
      tokens = next.perSecond;
      reached = next.slots.map(() => 0);
      timed = { calls: 0, totalMs: 0, maxMs: 0 };
      defineProperty(globalThis, REACHED, { value: onReached, configurable: true, enumerable: false });
      return REACHED;
    },
    counts: () => reached,
    take() {
      if (followed !== undefined && plan !== undefined && isOver(plan)) finish(false);
      const taken = hits;
      hits = [];
      const full = plan !== undefined && given >= plan.hits && followed === undefined;
      return { hits: taken, reached, skipped, timed, full, ...(wrapped === undefined ? {} : { wrapped }) };
    },
    close,
    dispose: close,
  };
};

export default install;
