export interface ThreadpoolParams {
  /** Length of the window, in seconds. Default 2. */
  readonly seconds?: number;
}

/** How long a trivial job waits for libuv's threads, and what is queued beside it. */
export interface Threadpool {
  readonly seconds: number;
  /** UV_THREADPOOL_SIZE, or libuv's default. */
  readonly threads: number;
  readonly probes: number;
  /** Probes that had not come back when the window ended. */
  readonly unanswered: number;
  readonly p50Ms: number;
  readonly maxMs: number;
  /** The same moments' delay of a bare setImmediate, so that a blocked loop isn't taken for a busy pool. */
  readonly loopP50Ms: number;
  readonly loopMaxMs: number;
  /** How many of its threads had work to compute on average, on a core or waiting for one; undefined off Linux. */
  readonly busyThreads?: number;
  /** Most pending requests of each type seen at once (crypto jobs don't show here). */
  readonly pending: readonly { readonly type: string; readonly most: number }[];
}
