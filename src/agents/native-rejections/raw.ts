import type { RawFrame } from '../stack.js';

/** One call of Node that failed, as its promise says; the program's frames when it was called, innermost first. */
export interface RawRejection {
  readonly type: string;
  readonly message: string;
  /** Node's own function that the program called. */
  readonly called: string;
  readonly frames: readonly RawFrame[];
}

export interface RawRejections {
  readonly windowMs: number;
  /** What reading the promises took, while the program stood still. */
  readonly stoodMs: number;
  /** Calls whose end was looked at. */
  readonly watched: number;
  readonly rejected: readonly RawRejection[];
}
