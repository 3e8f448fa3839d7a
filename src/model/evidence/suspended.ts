import type { AsyncFrame } from './async-dump.js';

/** One that waits for a promise, as the heap tells it: a suspended async function, or a callback given to `then`. */
export interface SuspendedCall {
  /** The suspended function's heap object id, by which V8 tells where it stands; undefined for a callback. */
  readonly id: number | undefined;
  readonly function: string;
  /** Where it is written, not where it stands; 1-based. */
  readonly place: { readonly url: string; readonly line: number; readonly column: number };
}

/** Who waits, and who waits for that one, outwards. */
export interface SuspendedChain {
  readonly calls: readonly SuspendedCall[];
  /** A timer settles what the innermost one waits for: a pause, a poll, a time limit. */
  readonly timed: boolean;
  /** A request or response of node:http is at hand in one of the functions. */
  readonly serving: boolean;
}

/** Chains that stand at the same lines. */
export interface SuspendedStack {
  readonly count: number;
  /** Of these, how many a timer settles, and how many have a request at hand. */
  readonly timed: number;
  readonly serving: number;
  /** Innermost first; each stands where it awaits. */
  readonly frames: readonly AsyncFrame[];
}

/** Everything in the process that waits for a promise, whenever it began: what a goroutine dump is to Go. */
export interface Suspended {
  /** Most first. */
  readonly stacks: readonly SuspendedStack[];
  /** All chains, also those whose lines were not asked for. */
  readonly chains: number;
}
