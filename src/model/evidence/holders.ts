import type { PathStep } from './collection-growth.js';

/** An object that keeps a queue of waiters beside numbers that look like permits: a pool, lock or queue of any library. */
export interface Holder {
  /** Class name, or the variable it was found under. */
  readonly name: string;
  /** From a root to the object; the last variable step says script and position. */
  readonly path: readonly PathStep[];
  /** The property (or variable) that holds the waiters; empty when it has none. */
  readonly queue: string;
  readonly waiting: number;
  /** Items of the queue look like waiters: functions, deferreds, objects that own callbacks. */
  readonly waiters: boolean;
  /** Its own number fields and flags (1 and 0), and those of its options. */
  readonly numbers: { readonly [name: string]: number };
  /** Lengths of its other lists, maps and sets: idle, clients, all, … */
  readonly lists: { readonly [name: string]: number };
  /** The commands that its connections are at, one a connection, by their beginning and without literals. */
  readonly running?: readonly string[];
}

/** Pools, locks and queues found by their shape, fullest queue first. */
export interface Holders {
  readonly holders: readonly Holder[];
  readonly objects: number;
  readonly cpuMs: number;
  /** Urls of the application's own scripts, packages left out; where waiters stand is looked for in their text. */
  readonly scripts?: readonly string[];
}
