/** What the host part gives to every part that is installed beside it in the target. */
export interface PartHost {
  /** The target's own `require`, for `node:` modules only. */
  readonly require: (id: string) => unknown;
  /** Whether the program has loaded one of Node's modules; what it hasn't holds nothing of it. */
  readonly isLoaded: (id: string) => boolean;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /**
   * For everything the target will call by itself (hooks, channels, observers, listeners, wrapped functions): an
   * exception takes the part out and answers `otherwise`; it never reaches the target. Timers are guarded already.
   */
  readonly guard: <A extends unknown[], R>(work: (...args: A) => R, otherwise: R) => (...args: A) => R;
  /** An unref'ed timer taken from lens' own copies; a program that patched the globals doesn't see it. */
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly setImmediate: (callback: () => void) => unknown;
  /** Now, or in the loop's next turn when Node's own code is interrupted: for what Node may be walking over. */
  readonly atRest: (work: () => void) => void;
}

/** A part of lens in the target. `dispose` takes everything back and must not throw, even half installed. */
export interface Part {
  dispose(): void;
}

export type InstallPart<O = unknown> = (host: PartHost, options: O) => Part;
