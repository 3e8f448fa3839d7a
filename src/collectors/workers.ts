import type { RawOffspring } from '../agents/offspring/raw.js';
import { readChildren } from '../inspector/proc/children.js';
import type { Session, WorkerSession } from '../inspector/session.js';
import type { Workers, WorkerVitals } from '../model/evidence/workers.js';
import type { Collector } from './collector.js';
import { toFrames } from './frames.js';
import { scriptIds } from './script-ids.js';

const DEFAULT_SECONDS = 6;
const READ_EVERY_MS = 1000;
/** A worker that doesn't answer within this is in native code; the others are not kept waiting. */
const WORKER_TIMEOUT_MS = 1000;
const MAX_WORKERS_READ = 32;

/** Worker threads and child processes: who lives, who is started, how they end. */
export const workersCollector: Collector<'workers'> = {
  kind: 'workers',
  title: 'Workers and children',
  cost: 'light',
  async collect(session, { seconds = DEFAULT_SECONDS }, context) {
    await session.agent.install('offspring');
    await session.agent.call('offspring', 'start');
    const alive: Set<string>[] = [];
    const moments = new Map<string, Moment[]>();
    const look = async () => {
      alive.push(await workerIds(session));
      await readWorkers(session, moments);
    };
    try {
      await look();
      for (let i = 0; i < seconds; i++) {
        await context.sleep(READ_EVERY_MS);
        await look();
      }
    } catch (error) {
      await session.agent.call('offspring', 'stop').catch(() => undefined); // a lost target needs no stopping
      throw error;
    }
    const offspring = await session.agent.call<RawOffspring[]>('offspring', 'stop');
    const urls = offspring.flatMap(({ frames }) => frames.map(({ url }) => url));
    const scripts = urls.length > 0 ? await scriptIds(session, urls) : { ids: new Map<string, string>(), pausedMs: 0 };
    const children =
      process.platform === 'linux' && session.target.pid > 0 ? await readChildren(session.target.pid) : undefined;
    return {
      data: {
        seconds,
        ...lives(alive),
        workers: await vitalsOf(session, moments),
        offspring: offspring.map(line => ({ ...line, frames: toFrames(line.frames, scripts.ids) })),
        ...(children === undefined ? {} : { children }),
      },
      pausedMs: scripts.pausedMs,
    };
  },
};

const workerIds = async (session: Session): Promise<Set<string>> =>
  new Set((await session.workers()).map(({ workerId }) => workerId));

function lives(alive: readonly Set<string>[]): Pick<Workers, 'workerCounts' | 'workersBorn' | 'workersGone'> {
  const first = alive[0] ?? new Set();
  const last = alive.at(-1) ?? new Set();
  const seen = new Set(alive.flatMap(ids => [...ids]));
  return {
    workerCounts: alive.map(({ size }) => size),
    workersBorn: [...seen].filter(id => !first.has(id)).length,
    workersGone: [...seen].filter(id => !last.has(id)).length,
  };
}

interface Moment {
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  /** Milliseconds since the worker began. */
  readonly active: number;
  readonly idle: number;
}

const READ_WORKER = `(() => {
  const { active, idle } = require('node:perf_hooks').performance.eventLoopUtilization();
  const { heap_size_limit, used_heap_size } = require('node:v8').getHeapStatistics();
  return { heapUsedBytes: used_heap_size, heapLimitBytes: heap_size_limit, active, idle };
})()`;

/** Adds a moment for each thread that answers; one in native code is left out this time. */
async function readWorkers(session: Session, moments: Map<string, Moment[]>): Promise<void> {
  const workers = (await session.workers()).slice(0, MAX_WORKERS_READ);
  const read = async (worker: WorkerSession) => {
    const moment = await worker.evaluate<Moment>(READ_WORKER, { timeoutMs: WORKER_TIMEOUT_MS }).catch(() => undefined); // ended meanwhile, or in native code
    if (moment) moments.set(worker.workerId, [...(moments.get(worker.workerId) ?? []), moment]);
  };
  await Promise.all(workers.map(read));
}

/** Of the threads that are alive at the end. */
async function vitalsOf(session: Session, moments: ReadonlyMap<string, readonly Moment[]>): Promise<WorkerVitals[]> {
  return (await session.workers()).flatMap(({ workerId: id, title, url }) => {
    const read = moments.get(id) ?? [];
    const [first, last] = [read[0], read.at(-1)];
    if (!first || !last) return [];
    const windowElu = read.length > 1 ? utilization(last.active - first.active, last.idle - first.idle) : undefined;
    return {
      id,
      title,
      url,
      heapUsedBytes: last.heapUsedBytes,
      heapLimitBytes: last.heapLimitBytes,
      elu: utilization(last.active, last.idle),
      ...(windowElu === undefined ? {} : { windowElu }),
      heapUsed: read.map(({ heapUsedBytes }) => heapUsedBytes),
    };
  });
}

/** A thread that never came to its loop has counted nothing yet: it is busy. */
const utilization = (active: number, idle: number): number => (active + idle > 0 ? active / (active + idle) : 1);
