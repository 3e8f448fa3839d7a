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
    try {
      alive.push(await workerIds(session));
      for (let i = 0; i < seconds; i++) {
        await context.sleep(READ_EVERY_MS);
        alive.push(await workerIds(session));
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
        workers: await readWorkers(session),
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

const READ_WORKER = `(() => {
  const { performance } = require('node:perf_hooks');
  const { heap_size_limit, used_heap_size } = require('node:v8').getHeapStatistics();
  return { heapUsedBytes: used_heap_size, heapLimitBytes: heap_size_limit, elu: performance.eventLoopUtilization().utilization };
})()`;

async function readWorkers(session: Session): Promise<WorkerVitals[]> {
  const workers = (await session.workers()).slice(0, MAX_WORKERS_READ);
  const read = await Promise.all(workers.map(readWorker));
  return read.filter(vitals => vitals !== undefined);
}

async function readWorker(worker: WorkerSession): Promise<WorkerVitals | undefined> {
  try {
    const numbers = await worker.evaluate<Omit<WorkerVitals, 'id' | 'title' | 'url'>>(READ_WORKER, {
      timeoutMs: WORKER_TIMEOUT_MS,
    });
    return { id: worker.workerId, title: worker.title, url: worker.url, ...numbers };
  } catch {
    return undefined; // ended meanwhile, or in native code
  }
}
