import type { Json } from '../json.js';
import type { CreatorFrame } from './handles.js';

/** An expression that is read in the target without running any of its code: its text, free names and syntax tree. */
export interface WatchExpression {
  readonly text: string;
  readonly names: readonly string[];
  /** ESTree, reduced to what the reader in the target knows. */
  readonly tree: Json;
}

/** A 0-based position in the text V8 compiled. */
export interface TextSpot {
  readonly line: number;
  readonly column: number;
}

/** A place to trace, already found in the texts the target runs. */
export interface TracePoint {
  /** As a person would say it: `src/orders.ts:42` or `Cart.total (src/cart.js:7)`. */
  readonly label: string;
  /** The script's url, exactly as the target has it. */
  readonly url: string;
  readonly position: TextSpot;
  /** The function around it; absent at the top level of a module. */
  readonly body?: {
    readonly name: string;
    readonly parameters: readonly string[];
    /** Those that the function never assigns: at its end they still tell one call from another. */
    readonly unchanged: readonly string[];
    /** Async functions and generators: several calls may be under way at once. */
    readonly interleaves: boolean;
    readonly start: TextSpot;
    readonly end: TextSpot;
  };
  /** Parameters and variables to show where no expression is given. */
  readonly names: readonly string[];
}

/**
 * hits: values each time a place is reached; calls: how long each call of a function takes; between: from the first
 * place to the second; lines: one call, line by line; wrap: the method replaced by a counting and timing stand-in.
 */
export const TRACE_MODES = ['hits', 'calls', 'between', 'lines', 'wrap'] as const;
export type TraceMode = (typeof TRACE_MODES)[number];

export interface TraceParams {
  readonly mode: TraceMode;
  readonly points: readonly TracePoint[];
  readonly condition?: WatchExpression;
  readonly expressions: readonly WatchExpression[];
  /** What tells one passage from another in `calls` and `between`. */
  readonly key?: WatchExpression;
  readonly stack: boolean;
  /** Everything is taken back after this many seconds. */
  readonly seconds: number;
  /** … or after this many hits. */
  readonly hits: number;
  readonly perSecond: number;
}

/** One line of a call that was followed line by line; 0-based in the running text. */
export interface TraceLine {
  readonly line: number;
  readonly column: number;
  readonly atMs: number;
  readonly values: { readonly [name: string]: string };
}

export interface TraceHit {
  /** Milliseconds since the trace began. */
  readonly atMs: number;
  /** Title of the worker thread; absent on the main thread. */
  readonly thread?: string;
  /** Index of the place in the params. */
  readonly point: number;
  /** Printed values by expression or variable; getters were not run. */
  readonly values: { readonly [name: string]: string };
  readonly durationMs?: number;
  /** True when several calls were under way and nothing told them apart. */
  readonly approximate?: boolean;
  readonly returned?: string;
  readonly threw?: boolean;
  readonly frames?: readonly CreatorFrame[];
  readonly lines?: readonly TraceLine[];
}

/** What became of one place in one thread. */
export interface TracedPoint {
  readonly thread?: string;
  readonly point: number;
  /** Where V8 put it, 0-based; absent when it found no place. */
  readonly position?: TextSpot;
  /** How often it was reached while it was watched, whatever the condition said. */
  readonly reached: number;
  readonly perSecond: number;
  /** Why it was not watched, or not to the end. */
  readonly refused?: string;
}

export interface Trace {
  readonly seconds: number;
  readonly mode: TraceMode;
  readonly points: readonly TracedPoint[];
  readonly hits: readonly TraceHit[];
  /** Hits that the rate limit left out. */
  readonly skipped: number;
  /** In `calls` and `wrap`: all calls, whether shown or not. */
  readonly timed?: { readonly calls: number; readonly totalMs: number; readonly maxMs: number };
  readonly ended: 'time' | 'hits' | 'refused' | 'interrupted';
}
