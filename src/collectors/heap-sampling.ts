import type { Session } from '../inspector/session.js';
import { standstill } from '../inspector/standstill.js';
import { LensError } from '../model/error.js';
import type { V8SamplingNode } from '../model/evidence/heap-sampling.js';
import type { Collector } from './collector.js';

/** Reading a profile collects garbage twice: 500 ms of cpu at 183 MB. */
const READ_MS_PER_MB = 2.8;
const READ_BASE_MS = 30;
const MB = 1024 * 1024;
const STOP_TIMEOUT_MS = 30_000;

/** Which calls allocated what survived (or everything): a sampling profile whose reading collects garbage first. */
export const heapSamplingCollector: Collector<'heap-sampling'> = {
  kind: 'heap-sampling',
  title: 'Sampling heap profile',
  cost: 'pausing',
  estimate({ heapUsedBytes }) {
    return { pauseMs: READ_BASE_MS + (heapUsedBytes / MB) * READ_MS_PER_MB, memoryBytes: 4 * MB };
  },
  async collect(session, { seconds, intervalBytes, all }, context) {
    const collected = {
      includeObjectsCollectedByMajorGC: all === true,
      includeObjectsCollectedByMinorGC: all === true,
    };
    await refuseTaken(session);
    await session.send('HeapProfiler.startSampling', { samplingInterval: intervalBytes, ...collected });
    let head: V8SamplingNode | undefined;
    const stop = session.onDetach(async () => {
      const { profile } = await session.send('HeapProfiler.stopSampling', { timeoutMs: STOP_TIMEOUT_MS });
      head = profile.head;
    });
    try {
      await context.sleep(seconds * 1000);
    } catch (error) {
      await stop();
      throw error;
    }
    const { pausedMs } = await context.exclusively(() => standstill(session, session.target.pid, stop));
    if (!head) throw new Error('The profile was stopped by someone else.');
    const own = withoutLens(head);
    return {
      data: { seconds, intervalBytes, head: own, bytes: bytesOf(own), includesCollected: all === true },
      pausedMs: Math.round(pausedMs),
    };
  },
};

/**
 * V8 has one sampler. Where the program runs it (continuous profilers do), starting it again changes nothing, and
 * stopping it would take it from the program.
 */
async function refuseTaken(session: Session): Promise<void> {
  const isTaken = await session.send('HeapProfiler.getSamplingProfile', { timeoutMs: STOP_TIMEOUT_MS }).then(
    () => true,
    () => false, // "was not started"
  );
  if (isTaken) throw new LensError('inspector-busy', 'The program samples its heap by itself, and V8 has one sampler.');
}

/** What lens' own code and the inspector allocated is not the target's. */
function withoutLens(node: V8SamplingNode): V8SamplingNode {
  const children = node.children
    .filter(({ callFrame: { url } }) => !/^(lens:|node:inspector)/.test(url))
    .map(withoutLens);
  const { callFrame, selfSize, id } = node;
  return { callFrame, selfSize, id, children };
}

function bytesOf(node: V8SamplingNode): number {
  return node.children.reduce((sum, child) => sum + bytesOf(child), node.selfSize);
}
