import type { Threadpool } from '../model/evidence/threadpool.js';
import type { Collector } from './collector.js';

const SECONDS = { least: 0.5, usual: 2, most: 8 };

/** How long a trivial job waits for libuv's threads: ten `fs.stat` a second, timed in the target. */
export const threadpoolCollector: Collector<'threadpool'> = {
  kind: 'threadpool',
  title: 'Thread pool',
  cost: 'free',
  async collect(session, params, context) {
    const seconds = Math.min(SECONDS.most, Math.max(SECONDS.least, params.seconds ?? SECONDS.usual));
    await session.agent.install('threadpool');
    try {
      await context.sleep(seconds * 1000);
      return {
        data: { seconds, ...(await session.agent.call<Omit<Threadpool, 'seconds'>>('threadpool', 'read')) },
        pausedMs: 0,
      };
    } finally {
      await session.agent.remove('threadpool').catch(() => undefined); // a lost target took its probes along
    }
  },
};
