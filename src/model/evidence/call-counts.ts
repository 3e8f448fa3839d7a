import type { ScriptPosition } from '../location.js';

export interface CallCountsParams {
  readonly seconds: number;
  /** Functions by the position of their definition, as a CPU profile names them. */
  readonly functions: readonly ScriptPosition[];
  /** Also remember how often the first argument was the same value again. */
  readonly sameArguments?: boolean;
}

export interface CallCounts {
  readonly seconds: number;
  readonly counts: readonly {
    readonly position: ScriptPosition;
    readonly calls: number;
    /** Calls whose arguments were all identical to an earlier call's; undefined when not asked. */
    readonly repeated?: number;
    /** One repeated argument, shortened and redacted, with its length. */
    readonly example?: string;
  }[];
}
