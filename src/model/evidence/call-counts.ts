import type { ScriptPosition } from '../location.js';

/** A function by the position of its definition, as a CPU profile names it. */
export interface CountedFunction extends ScriptPosition {
  /** Names of its parameters; without them arguments can't be compared. */
  readonly parameters?: readonly string[];
}

export interface CallCountsParams {
  readonly seconds: number;
  /** Outermost first: where an outer one is called too often to be watched, the inner ones are left alone. */
  readonly functions: readonly CountedFunction[];
  /** Also remember how often the arguments were the same values again. */
  readonly sameArguments?: boolean;
}

export interface CallCount {
  readonly position: ScriptPosition;
  readonly calls: number;
  /** How long it was watched; shorter than asked when it was called too often. */
  readonly seconds: number;
  readonly perSecond: number;
  /** The most calls that began within a stretch of so many milliseconds, shortest stretch first. */
  readonly densest?: readonly { readonly ms: number; readonly calls: number }[];
  /**
   * By the index of each deeper function: how long after a call of this one it was still called, at most, before the next
   * call of this one, in milliseconds. Where it only runs beneath this one, a single call lasted so long.
   */
  readonly spansMs?: readonly number[];
  /** Why it was not watched, or not to the end. */
  readonly cut?: string;
  /** Of the calls whose arguments were compared … */
  readonly compared?: number;
  /** … those whose arguments were all identical to an earlier call's; undefined when not asked. */
  readonly repeated?: number;
  /** What the repeated arguments are, never their content: "string of 60 000 characters". */
  readonly example?: string;
}

export interface CallCounts {
  readonly seconds: number;
  readonly counts: readonly CallCount[];
}
