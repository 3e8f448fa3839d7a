import type { CreatorFrame } from './handles.js';

export interface ExceptionsParams {
  /** Length of the window, in seconds. Default 5. */
  readonly seconds?: number;
  /**
   * Also sample exceptions that the program catches: the target stops for a moment at a few of them (about 5 ms each,
   * at most 24 of them).
   */
  readonly caught?: boolean;
}

/** Throws of one type at one place. */
export interface ThrowSite {
  /** Class name: `TypeError`, `ValidationError`; `string` where no error was thrown. */
  readonly type: string;
  /** First line of the message with numbers, ids and quoted values replaced. */
  readonly message: string;
  readonly count: number;
  /** True when a promise was rejected and not an exception thrown. */
  readonly rejection: boolean;
  /** V8's forecast that nobody catches it. */
  readonly uncaught: boolean;
  /** Innermost first, Node's own left out. Positions are where each frame stood; of one that awaits, its `await`. */
  readonly frames: readonly CreatorFrame[];
  /** Node's own function that rejected (`writeFile`): then all frames await it, and no line of the program throws. */
  readonly byNode?: string;
  /** How often the throwing line ran, counted without stopping; absent where it was not counted. */
  readonly perSecond?: number;
}

export interface CaughtSample {
  readonly sampled: number;
  readonly bursts: number;
  /** Bursts in which anything was thrown: all of them where it goes on. */
  readonly burstsWithThrows: number;
  /** Throws a second while they were sampled, the stops left out; a burst ends with its fourth. */
  readonly perSecond?: number;
  readonly sites: readonly ThrowSite[];
}

/** Promises of Node's own file functions that no code rejected: their errors have no frames, the calls have. */
export interface NativeRejections {
  readonly windows: number;
  readonly seconds: number;
  /** Those that were rejected in every window; `byNode` and `perSecond` are known. */
  readonly sites: readonly ThrowSite[];
}

export interface Exceptions {
  readonly seconds: number;
  /** Exceptions that nobody caught, while the program went on (it has a handler). */
  readonly uncaught: { readonly count: number; readonly sites: readonly ThrowSite[] };
  /** Rejections that nobody handled; counted only where the program listens for them itself. */
  readonly rejections: { readonly listening: boolean; readonly count: number; readonly sites: readonly ThrowSite[] };
  readonly caught?: CaughtSample;
  /** Looked for only where a debugger can't see them: Node 18, or errors of the system without a stack. */
  readonly native?: NativeRejections;
}
