import type { CreatorFrame } from './handles.js';

export interface WorkersParams {
  /** Length of the window, in seconds. Default 6. */
  readonly seconds?: number;
}

export interface WorkerVitals {
  readonly id: string;
  /** "[worker 1] name". */
  readonly title: string;
  readonly url: string;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  /** Event-loop utilization since the worker began, 0..1. */
  readonly elu: number;
  /** … and within the window; absent when it began at its end. */
  readonly windowElu?: number;
  /** Heap in use, read each second of the window. */
  readonly heapUsed: readonly number[];
}

/** How one child or worker ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal?: string;
  /** Absent when it had begun before the window. */
  readonly lifetimeMs?: number;
  /** The program ended the thread by `terminate`, whatever its code. */
  readonly terminated?: boolean;
}

/** Children (or workers) of one name within the window. */
export interface Offspring {
  readonly kind: 'child' | 'worker';
  /** File and script: `node worker.js`. */
  readonly name: string;
  readonly spawned: number;
  readonly endings: readonly Ending[];
  /** Who starts them, innermost first; Node's own frames left out. Empty for workers. */
  readonly frames: readonly CreatorFrame[];
}

export interface Workers {
  readonly seconds: number;
  /** Worker threads alive at each reading. */
  readonly workerCounts: readonly number[];
  readonly workersBorn: number;
  readonly workersGone: number;
  readonly workers: readonly WorkerVitals[];
  readonly offspring: readonly Offspring[];
  /** Child processes at the end, from /proc; absent off Linux. */
  readonly children?: readonly {
    readonly pid: number;
    readonly command: string;
    readonly state: string;
    readonly seconds: number;
  }[];
}
