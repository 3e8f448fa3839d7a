import type { RawFrame } from '../stack.js';
import type { Tree } from './read.js';

/** hit: values; enter and leave: the two ends of a duration; line: a line of a followed call; wrap: where to find the method. */
export type SlotRole = 'hit' | 'enter' | 'leave' | 'line' | 'wrap';

export interface RawSlot {
  readonly role: SlotRole;
  /** Index of the place that was asked for. */
  readonly point: number;
  /** Names handed over at a hit, in the order of the condition's arguments; `this` among them. */
  readonly names: readonly string[];
  /** Of `names`: what tells calls apart. */
  readonly identity: readonly string[];
  /** Of `names`: what is shown where no expression is given. */
  readonly shown: readonly string[];
  readonly line: number;
  readonly column: number;
}

export interface RawPlan {
  readonly slots: readonly RawSlot[];
  readonly condition?: Tree;
  readonly expressions: readonly { readonly text: string; readonly tree: Tree }[];
  readonly key?: Tree;
  readonly stack: boolean;
  readonly hits: number;
  readonly perSecond: number;
  /** After this the logpoints do nothing, even if nobody takes them away. */
  readonly ttlMs: number;
  readonly interleaves: boolean;
  /** Name and parameters of the method to be wrapped. */
  readonly method?: { readonly name: string; readonly parameters: readonly string[] };
}

export type RawValues = { readonly [name: string]: string };

export interface RawLine {
  readonly line: number;
  readonly column: number;
  readonly atMs: number;
  readonly values: RawValues;
}

export interface RawHit {
  readonly atMs: number;
  readonly point: number;
  readonly values: RawValues;
  readonly durationMs?: number;
  readonly approximate?: boolean;
  readonly returned?: string;
  readonly threw?: boolean;
  readonly frames?: readonly RawFrame[];
  readonly lines?: readonly RawLine[];
}

export interface RawTrace {
  /** New since the last time. */
  readonly hits: readonly RawHit[];
  /** How often each slot was reached. */
  readonly reached: readonly number[];
  readonly skipped: number;
  readonly timed: { readonly calls: number; readonly totalMs: number; readonly maxMs: number };
  /** True once there were as many hits as asked for. */
  readonly full: boolean;
  /** Whether the method could be replaced; absent while nobody called it. */
  readonly wrapped?: 'yes' | 'no';
}
