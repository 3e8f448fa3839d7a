import type { FaultClass } from '../../src/model/fault.js';

/** One cause that lens should find: any of `classes`, at a line marked with `mark` in the program's sources. */
export interface Truth {
  readonly classes: readonly FaultClass[];
  readonly mark: 'culprit' | 'second';
  /** The dependency that must be named when the culprit itself lies in it. */
  readonly package?: string;
  /** Set where no line of the program is at fault (a slow partner, a full host): the class alone decides. */
  readonly anywhere?: boolean;
}

/** A program of fixtures/apps with the truth about it. No `truths`: it is healthy. */
export interface Case {
  readonly app: string;
  readonly truths: readonly Truth[];
  /** What a person would say; most say nothing. */
  readonly reason?: string;
  /** Seconds of traffic before lens comes. */
  readonly settle?: number;
  /** Oldest Node its packages run on. */
  readonly from?: 18 | 20 | 22;
  /** Newest Node that has the disease. */
  readonly to?: 22 | 24;
  /** Part of the short run that CI does. */
  readonly quick?: boolean;
  /** Packages that are busy or big there, and innocent. */
  readonly innocentPackages?: readonly string[];
}
