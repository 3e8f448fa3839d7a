/** What the part sends: plain numbers, absolute since the process began. Bytes, milliseconds unless named. */
export interface RawVitals {
  readonly now: number;
  readonly timeOrigin: number;
  readonly uptimeSeconds: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly heapLimit: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly malloced: number;
  readonly nativeContexts: number;
  readonly detachedContexts: number;
  /** Name, used bytes, size in bytes. */
  readonly spaces: readonly (readonly [string, number, number])[];
  readonly eluActive: number;
  readonly eluIdle: number;
  readonly cpuMicros: number;
  readonly involuntary: number;
  readonly loopCount?: number | undefined;
  readonly resources: { readonly [type: string]: number };
}

/** Delay beyond the histogram's own wait, in milliseconds. */
export interface RawDelay {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

export interface RawGcSum {
  count: number;
  ms: number;
  max: number;
}

export interface RawGc {
  /** By Node's number of the kind: 1 scavenge, 2 minor mark-sweep, 4 mark-compact, 8 incremental, 16 weak callbacks. */
  readonly kinds: { [kind: number]: RawGcSum };
  /** performance.now() at the end of each mark-compact, heapUsed when it was read, and how much later that was. */
  readonly live: { readonly at: number; readonly used: number; readonly late: number }[];
}

export interface RawWindow {
  readonly vitals: RawVitals;
  readonly delay: RawDelay;
  readonly gc: RawGc;
  /** The control group's memory limit in bytes. */
  readonly limit?: number;
  /** --max-old-space-size in bytes, where it was given. */
  readonly oldLimit?: number;
}

/** The part of Node's IntervalHistogram that the window uses. */
export interface DelayWindow {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly count: number;
  percentile(percentile: number): number;
  enable(): boolean;
  disable(): boolean;
}
