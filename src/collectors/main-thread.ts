import { readFileSync } from 'node:fs';

export interface MainThread {
  /** Time on a core, in nanoseconds. */
  readonly ranNs: number;
  /** Time runnable but without a core, in nanoseconds: the host is contended or the container throttled. */
  readonly waitedNs: number;
}

/** The main thread's own time from the kernel's scheduler statistics; undefined off Linux and for remote targets. */
export function readMainThread(pid: number): MainThread | undefined {
  if (process.platform !== 'linux' || pid <= 0) return undefined;
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').trim().split(' ').map(Number);
    // A kernel without scheduler statistics answers zeros.
    return ran === undefined || waited === undefined || ran === 0 ? undefined : { ranNs: ran, waitedNs: waited };
  } catch {
    return undefined;
  }
}
