import type { PoolProbes } from '../agents/threadpool/index.js';
import { readTaskTimes, type TaskTimes } from '../inspector/proc/threads.js';
import type { Threadpool } from '../model/evidence/threadpool.js';
import type { Collector } from './collector.js';

const SECONDS = { least: 0.5, usual: 2, most: 8 };

/** How long a trivial job waits for libuv's threads: ten `fs.readlink` a second, timed in the target. */
export const threadpoolCollector: Collector<'threadpool'> = {
  kind: 'threadpool',
  title: 'Thread pool',
  cost: 'free',
  async collect(session, params, context) {
    const seconds = Math.min(SECONDS.most, Math.max(SECONDS.least, params.seconds ?? SECONDS.usual));
    const { pid } = session.target;
    await session.agent.install('threadpool');
    try {
      const before = await readTaskTimes(pid);
      const at = context.now();
      await context.sleep(seconds * 1000);
      const after = await readTaskTimes(pid);
      const busyMs = context.now() - at;
      const { tids, ...probed } = await session.agent.call<PoolProbes>('threadpool', 'read');
      const busyThreads = busyOf(tids, before, after, busyMs);
      const data: Threadpool = { seconds, ...probed, ...(busyThreads !== undefined && { busyThreads }) };
      return { data, pausedMs: 0 };
    } finally {
      await session.agent.remove('threadpool').catch(() => undefined); // a lost target took its probes along
    }
  },
};

/** Of the threads that answered; undefined where the kernel's ids mean nothing here (another pid namespace). */
function busyOf(tids: readonly number[], before: TaskTimes, after: TaskTimes, windowMs: number): number | undefined {
  const known = tids.filter(tid => before.has(tid) && after.has(tid));
  if (known.length === 0) return undefined;
  const ms = known.reduce((sum, tid) => sum + (after.get(tid) ?? 0) - (before.get(tid) ?? 0), 0);
  return Math.round((ms / Math.max(1, windowMs)) * 100) / 100;
}
