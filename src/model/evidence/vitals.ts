export interface VitalsParams {
  /** Length of the window, in seconds. A reading that another skill began is shared. */
  readonly seconds: number;
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
  /** Event-loop utilization since the last sample, 0..1. Wrong while a profiler runs. */
  readonly elu: number;
  /** User plus system time of the process since the last sample ÷ wall, in percent of one core. */
  readonly cpuPercent: number;
  /** Same for the main thread alone, where /proc tells; undefined elsewhere. */
  readonly mainThreadPercent?: number;
  readonly activeResources: { readonly [type: string]: number };
  readonly requests: number;
  /** Loop iterations since the last sample (uvMetricsInfo; undefined on Node 18). */
  readonly loopCount?: number;
  readonly involuntarySwitches: number;
}

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
  /** heapUsed right after each mark-compact in the window, oldest first: the live heap. */
  readonly liveHeap: readonly { readonly at: number; readonly usedBytes: number }[];
  /** Share of the window that the main thread was runnable but not on a core (schedstat), 0..1; undefined off Linux. */
  readonly runQueueShare?: number;
  readonly uptimeSeconds: number;
}
