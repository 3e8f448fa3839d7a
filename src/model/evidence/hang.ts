export interface HangParams {
  /** How long the loop may take to turn before it counts as hung, in seconds. Default 1. */
  readonly seconds?: number;
}

/**
 * What stands in the way of the event loop. `turns`: nothing, it turns. `javascript`: a call that does not return.
 * `microtasks`: callbacks of promises or nextTick that keep adding more. `immediates`: the loop turns, but does nothing
 * but run setImmediate callbacks. `native`: a call into C++ or the kernel that cannot be interrupted.
 */
export type HangKind = 'turns' | 'javascript' | 'microtasks' | 'immediates' | 'native';

export interface HangFrame {
  readonly function: string;
  /** As V8 names the script: a file url, a path, `node:internal/…`, or empty. */
  readonly url: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  /** Share of the samples that have this frame at the top, 0..1; only in `hot`. */
  readonly selfShare?: number;
}

/** What the innermost user frame had in its variables when it was caught: sizes and patterns, never contents. */
export interface HangLocal {
  readonly name: string;
  /** "RegExp /^(a+)+$/", "string of 31 characters", "Array(20000)". */
  readonly description: string;
}

export interface Hang {
  readonly kind: HangKind;
  /** Round trip over setImmediate when the loop turned, else how long was waited for it; in milliseconds. */
  readonly loopTurnMs: number;
  /** The stack at one moment, innermost first; empty when the loop turns or the block is native. */
  readonly stack: readonly HangFrame[];
  readonly locals: readonly HangLocal[];
  /** Share of the looks (three, a tenth of a second apart) that found the same user function on the stack, 0..1. */
  readonly agreement?: number;
  /** The leaf functions of a profile of half a second, hottest first; empty when V8 could not attribute the running frame. */
  readonly hot: readonly HangFrame[];
  /** Callbacks of setImmediate per second, when they are all the loop does. */
  readonly immediatesPerSecond?: number;
  readonly native?: NativeBlock;
}

/** A main thread that answers nothing, as the kernel sees it. */
export interface NativeBlock {
  readonly pid: number;
  /** One sentence: "blocked in read on /srv/pipe (FIFO), sleeping in wait_for_partner". */
  readonly summary: string;
  /** One letter: R runs on a core, S or D sleeps in the kernel, T is stopped. */
  readonly state: string;
  /** Cpu of the main thread while lens waited, in percent of a core: near 100 is native computing, near 0 is waiting. */
  readonly cpuPercent: number;
  /** How long it was seen to answer nothing, in milliseconds; it began earlier. */
  readonly observedMs: number;
  readonly syscall?: { readonly name: string; readonly args: readonly string[] };
  /** What the first argument names, when it is a file descriptor. */
  readonly file?: string;
  /** Kernel function it sleeps in. */
  readonly waitChannel?: string;
  /** Processes it started: while execSync waits, the one it waits for. */
  readonly children: readonly { readonly pid: number; readonly command: string; readonly seconds: number }[];
}
