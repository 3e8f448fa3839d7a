/** Percent of the last ten seconds in which some, or all, tasks waited for the resource (PSI). */
export interface Pressure {
  readonly some10: number;
  readonly full10: number;
}

/** A file system that the target writes to: its working folder, its temporary folder, its open files. */
export interface Disk {
  readonly path: string;
  readonly totalBytes: number;
  /** What an ordinary user may still take. */
  readonly availableBytes: number;
  /** 0 where the file system does not count them. */
  readonly totalInodes: number;
  readonly freeInodes: number;
}

/** The machine and the container around the target. Linux only; every part is absent where it can't be read. */
export interface Host {
  readonly takenAt: number;
  /** Length of the window that shares and differences are of. */
  readonly seconds: number;
  readonly cpus: number;
  /** Runnable tasks, averaged over 1, 5 and 15 minutes. */
  readonly load?: readonly [number, number, number];
  /** Share of all cores in use, and taken by the hypervisor for others, 0..1. */
  readonly cpuBusyShare?: number;
  readonly stolenShare?: number;
  /** Share of the window that the target's main thread ran, and was runnable without a core, 0..1. */
  readonly mainThread?: { readonly ranShare: number; readonly waitedShare: number };
  readonly memory?: {
    readonly totalBytes: number;
    readonly availableBytes: number;
    readonly swapTotalBytes: number;
    readonly swapFreeBytes: number;
  };
  readonly pressure: { readonly cpu?: Pressure; readonly memory?: Pressure; readonly io?: Pressure };
  readonly cgroup?: {
    readonly version: 1 | 2;
    readonly memory?: {
      /** The tightest limit that holds for the target; absent: none. */
      readonly limitBytes?: number;
      readonly usedBytes: number;
      /** Used, without file pages that the kernel would give up first. */
      readonly workingSetBytes: number;
      readonly oomKills: number;
    };
    readonly cpu?: {
      /** Cores' worth of time; absent: no quota. */
      readonly quotaCpus?: number;
      /** Within the window: accounting periods, those that ran out of quota, and how long tasks stood still for it. */
      readonly periods: number;
      readonly throttledPeriods: number;
      readonly throttledMs: number;
    };
  };
  readonly disks: readonly Disk[];
}
