import type { InstallPart, Part } from '../host.js';
import { argumentReader } from './arguments.js';

/** The name logpoints call: a property of globalThis, because a condition sees whatever names the function shadows. */
const HIT = '__lensHit';

/** Arguments of this many calls are compared; the rest are only counted. */
const COMPARED_CALLS = 400;
/** Distinct arguments remembered per function: a program that never repeats itself must not fill memory. */
const MAX_DISTINCT = 400;

/** Times of so many calls are kept, to tell how close together they come. */
const TIMED_CALLS = 1000;

export interface RawCount {
  readonly hits: number;
  readonly compared: number;
  readonly repeated: number;
  readonly example?: string;
}

/** Methods of the part `call-counts`. */
export interface CallCountsPart extends Part {
  /** Begins to count for the slots 0 … n−1, forgetting what was counted before; answers the global's name. */
  open(slots: number): string;
  read(): RawCount[];
  /** For each slot the most calls that began within each of the windows, in milliseconds. */
  densest(windows: readonly number[]): number[][];
  /** For each slot and each deeper one: the longest time from a call of the first to the last call of the other before its next. */
  spans(): number[][];
  /** Forgets everything and takes the global away. */
  close(): void;
}

interface Slot {
  hits: number;
  compared: number;
  repeated: number;
  example?: string;
  seen: Map<string, number>;
  times: number[];
}

/** Of ascending times, the most that lie within a stretch of `ms`. */
function mostWithin(times: readonly number[], ms: number): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[to]! - times[from]! > ms) from++;
    most = to - from + 1 > most ? to - from + 1 : most;
  }
  return most;
}

/** How long after a call of the outer function the inner one was still called, at most, before the outer's next call. */
function longestSpan(outer: readonly number[], inner: readonly number[]): number {
  let longest = 0;
  for (let at = 0, of = -1; at < inner.length; at++) {
    while (of + 1 < outer.length && outer[of + 1]! <= inner[at]!) of++;
    if (of >= 0 && inner[at]! - outer[of]! > longest) longest = inner[at]! - outer[of]!;
  }
  return longest;
}

const install: InstallPart = (host): CallCountsPart => {
  const { defineProperty, deleteProperty } = Reflect;
  const read = argumentReader(host);
  let slots: Slot[] = [];

  const compare = (slot: Slot, values: readonly unknown[]): void => {
    slot.compared += 1;
    const signature = read.signature(values);
    if (signature === undefined) return;
    const before = slot.seen.get(signature);
    if (before === undefined && slot.seen.size >= MAX_DISTINCT) return;
    slot.seen.set(signature, (before ?? 0) + 1);
    if (before === undefined) return;
    slot.repeated += 1;
    slot.example ??= read.describe(values);
  };

  const hit = (at: number, ...values: unknown[]): false => {
    const slot = slots[at];
    if (slot === undefined) return false;
    slot.hits += 1;
    if (slot.times.length < TIMED_CALLS) slot.times[slot.times.length] = host.now();
    if (values.length > 0 && slot.compared < COMPARED_CALLS) compare(slot, values);
    return false;
  };

  const close = (): void => {
    slots = [];
    deleteProperty(globalThis, HIT);
  };

  return {
    open(count) {
      slots = Array.from({ length: count }, () => ({
        hits: 0,
        compared: 0,
        repeated: 0,
        seen: new Map<string, number>(),
        times: [],
      }));
      defineProperty(globalThis, HIT, { value: hit, configurable: true, enumerable: false });
      return HIT;
    },
    read: () => slots.map(({ seen: _, times: __, ...count }) => count),
    densest: windows => slots.map(({ times }) => windows.map(ms => mostWithin(times, ms))),
    spans: () =>
      slots.map(({ times }, at) => slots.map((inner, of) => (of > at ? longestSpan(times, inner.times) : 0))),
    close,
    dispose: close,
  };
};

export default install;
