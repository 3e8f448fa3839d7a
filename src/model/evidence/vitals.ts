export interface VitalsParams {
  /** Length of the window, in seconds. A reading that another skill began is shared. */
  readonly seconds: number;
  /** Seconds between its samples; absent: 1. The window's own sums don't depend on it. */
  readonly sampleEvery?: number;
  /** Ends early once the run knows a cause. */
  readonly untilKnown?: boolean;
}

/** One moment of the target, read by one evaluate. */
export interface VitalsSample {
  readonly at: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly heapLimitBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly mallocedBytes: number;
  readonly nativeContexts: number;
  readonly detachedContexts: number;
  readonly spaces: readonly { readonly name: string; readonly usedBytes: number; readonly sizeBytes: number }[];
  /** Event-loop utilization since the last sample (the first: since the process began), 0..1. Wrong while a profiler runs. */
  readonly elu: number;
  /** User plus system time of the process since the last sample (the first: since the process began) ÷ wall, in percent of one core. */
  readonly cpuPercent: number;
  /** Same for the main thread alone, where /proc tells; undefined elsewhere and in the first sample. */
  readonly mainThreadPercent?: number;
  /** What keeps the loop alive, by type (process.getActiveResourcesInfo); may be a few seconds old when there are very many. */
  readonly activeResources: { readonly [type: string]: number };
  /** Active requests among them: file, dns, connect and write operations under way. */
  readonly requests: number;
  /** Loop iterations since the last sample (uvMetricsInfo; undefined on Node 18). */
  readonly loopCount?: number;
  readonly involuntarySwitches: number;
}

/** Milliseconds beyond the 10 ms that the histogram's timer waits anyway: 0 is a loop that is always on time. */
export interface LoopDelay {
  readonly minMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly count: number;
}

export interface GcCount {
  readonly kind: 'scavenge' | 'mark-compact' | 'incremental' | 'weak-callbacks' | 'other';
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

/** The window's own sums beside its samples, oldest first. */
export interface Vitals {
  readonly seconds: number;
  readonly samples: readonly VitalsSample[];
  readonly elu: number;
  readonly cpuPercent: number;
  readonly mainThreadPercent?: number;
  readonly loopDelay: LoopDelay;
  readonly gc: readonly GcCount[];
  /** Share of the window spent in garbage collection, 0..1. */
  readonly gcShare: number;
  /**
   * heapUsed right after each mark-compact in the window, oldest first: the live heap. `lateMs` is how long after the
   * collection's end the program let lens read it; what was allocated meanwhile is counted too.
   */
  readonly liveHeap: readonly { readonly at: number; readonly usedBytes: number; readonly lateMs: number }[];
  /** Share of the window that the main thread was runnable but not on a core (schedstat), 0..1; undefined off Linux. */
  readonly runQueueShare?: number;
  /** Memory limit that the process sees (its control group), in bytes; undefined when there is none or Node is too old to tell. */
  readonly memoryLimitBytes?: number;
  /**
   * What V8 really grants to live objects: --max-old-space-size where it was given. heapLimitBytes counts the young
   * generation's reserve on top (148 MB for a flag of 100, which dies at 100).
   */
  readonly oldLimitBytes?: number;
  readonly uptimeSeconds: number;
}
