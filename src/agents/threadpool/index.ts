// Runs inside the target. Times a job that is trivial once a thread of libuv's pool takes it, so that what it measures
// is the queue before it.
import type { Threadpool } from '../../model/evidence/threadpool.js';
import type { Part, PartHost } from '../host.js';

/** Often enough to see a queue that comes and goes, rare enough that the probe itself is no load. */
const PROBE_EVERY_MS = 100;
const MOST_PROBES = 100;
const DEFAULT_THREADS = 4;

/** Linux answers with the thread that asks, so that the collector can tell the pool's threads from V8's. */
const TRIVIAL = '/proc/thread-self';

interface ThreadpoolPart extends Part {
  read(): PoolProbes;
}

/** What only the target can tell of its pool. */
export interface PoolProbes extends Omit<Threadpool, 'seconds' | 'busyThreads'> {
  /** Kernel's ids of the threads that took a probe; empty off Linux. */
  readonly tids: readonly number[];
}

interface Fs {
  readlink(path: string, done: (error: unknown, link?: string) => void): void;
}

export default function install(host: PartHost): ThreadpoolPart {
  const { readlink } = host.require('node:fs') as Fs;
  // Internal and not in the typings; lists pending requests as objects.
  const inside = process as unknown as { _getActiveRequests(): readonly object[] };
  const pool: number[] = [];
  const waiting = new Set<number>();
  const loop: number[] = [];
  const pending = new Map<string, number>();
  const tids = new Set<number>();
  let sent = 0;
  let stopped = false;

  const probe = (): void => {
    if (stopped || sent >= MOST_PROBES) return;
    sent++;
    const at = host.now();
    notePending(inside._getActiveRequests(), pending);
    host.setImmediate(() => loop.push(host.now() - at));
    waiting.add(at);
    const answered = (_error: unknown, link?: string) => {
      waiting.delete(at);
      pool.push(host.now() - at);
      if (link !== undefined) tids.add(Number(link.slice(link.lastIndexOf('/') + 1)));
    };
    readlink(TRIVIAL, host.guard(answered, undefined));
    host.setTimeout(probe, PROBE_EVERY_MS);
  };
  probe();

  return {
    read() {
      stopped = true;
      // A probe that is still in the queue has waited at least this long.
      const waits = [...pool, ...[...waiting].map(at => host.now() - at)];
      return {
        threads: Number(process.env.UV_THREADPOOL_SIZE) || DEFAULT_THREADS,
        probes: sent,
        unanswered: waiting.size,
        p50Ms: quantile(waits, 0.5),
        maxMs: quantile(waits, 1),
        loopP50Ms: quantile(loop, 0.5),
        loopMaxMs: quantile(loop, 1),
        pending: [...pending].map(([type, most]) => ({ type, most })),
        tids: [...tids],
      };
    },
    dispose() {
      stopped = true;
    },
  };
}

function notePending(active: readonly object[], most: Map<string, number>): void {
  const now = new Map<string, number>();
  for (const request of active) {
    const type = request.constructor?.name ?? 'unknown';
    now.set(type, (now.get(type) ?? 0) + 1);
  }
  for (const [type, count] of now) most.set(type, Math.max(count, most.get(type) ?? 0));
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return Math.round(value * 100) / 100;
}
