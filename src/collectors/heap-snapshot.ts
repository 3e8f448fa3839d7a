import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, Session } from '../inspector/session.js';
import { LensError } from '../model/error.js';
import type { HeapSnapshotFile } from '../model/evidence/heap-snapshot.js';
import type { CollectContext, Collector } from './collector.js';

const MB = 1024 * 1024;
/** Measured on 18 to 919 MB of heap over the inspector: 60 to 150 ms of standstill for each MB. The worse end counts. */
const PAUSE_MS_PER_MB = 150;
/**
 * Measured: 9 MB of resident memory for each MB of a mixed heap, 13 to 15 where all objects are small; V8's own heap limit
 * does not count it. The worse end counts: a container that runs out is killed.
 */
const MEMORY_PER_HEAP_BYTE = 15;
const MIN_TIMEOUT_MS = 120_000;
/** Beyond the estimate by this factor something is wrong, and waiting longer helps nobody. */
const PATIENCE = 5;

/** V8's whole heap, streamed to a file that DevTools and `lens heap` open. Stops the target for seconds. */
export const heapSnapshotCollector: Collector<'heap-snapshot'> = {
  kind: 'heap-snapshot',
  title: 'heapSnapshot',
  cost: 'heavy',
  estimate({ heapUsedBytes }, { growthSeconds }) {
    const once = (heapUsedBytes / MB) * PAUSE_MS_PER_MB;
    const twice = growthSeconds !== undefined && !isTrackable(heapUsedBytes);
    return { pauseMs: twice ? 2 * once : once, memoryBytes: heapUsedBytes * MEMORY_PER_HEAP_BYTE };
  },
  async collect(session, { directory, name, growthSeconds }, context) {
    if (directory === undefined) throw new LensError('storage', 'There is no folder to keep a heapSnapshot in.');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const timeoutMs = Math.max(MIN_TIMEOUT_MS, (usedSize / MB) * PAUSE_MS_PER_MB * PATIENCE);
    const base = join(directory, name ?? `heap-${Math.round(context.now())}`);
    const take = (ending = '') =>
      context.exclusively(() => stream(session, `${base}${ending}.heapsnapshot`, timeoutMs, context.now));
    if (growthSeconds === undefined) {
      const data = await take();
      return { data, pausedMs: Math.round(data.tookMs) };
    }
    return isTrackable(usedSize)
      ? afterTracking(session, growthSeconds, take, context)
      : afterFirst(growthSeconds, take, context);
  },
};

/**
 * Tracking walks the heap twenty times a second. Measured: 10 to 20 % of a core at 3 to 7 MB of heap, all of it at 26 MB,
 * where a second heapSnapshot costs the target less than three seconds of tracking.
 */
const TRACKABLE_BYTES = 8 * MB;
const isTrackable = (heapUsedBytes: number): boolean => heapUsedBytes <= TRACKABLE_BYTES;

type Take = (ending?: string) => Promise<HeapSnapshotFile>;

/** Small heaps: V8 numbers objects while they are made, and one heapSnapshot tells the new ones by their ids. */
async function afterTracking(session: Session, seconds: number, take: Take, context: CollectContext) {
  let lastOldId = 0;
  const off = session.on('HeapProfiler.lastSeenObjectId', ({ lastSeenObjectId }) => {
    lastOldId ||= lastSeenObjectId;
  });
  try {
    await session.send('HeapProfiler.startTrackingHeapObjects', { trackAllocations: false });
    await context.sleep(seconds * 1000);
    const data = await take();
    const dated = lastOldId > 0 ? ({ by: 'tracking', seconds, lastOldId } as const) : undefined;
    return {
      data: { ...data, ...(dated && { dated }) },
      pausedMs: Math.round(data.tookMs),
      ...(!dated && { partial: 'V8 told no object ids: what is new can not be told from what is old.' }),
    };
  } finally {
    off();
    await session.send('HeapProfiler.disable').catch(() => undefined); // ends tracking and forgets the ids
  }
}

/** Larger ones: an earlier heapSnapshot to compare with. */
async function afterFirst(seconds: number, take: Take, context: CollectContext) {
  const { tookMs, ...earlier } = await take('-before');
  await context.sleep(seconds * 1000);
  const data = await take();
  const dated = { by: 'two heapSnapshots', seconds, earlier } as const;
  return { data: { ...data, dated }, pausedMs: Math.round(tookMs + data.tookMs) };
}

/** Chunks go to the file as they come: lens stays small, however large the heap is. A file cut short is removed. */
export async function stream(
  session: Connection,
  path: string,
  timeoutMs: number,
  now: () => number,
): Promise<HeapSnapshotFile> {
  const file = new ChunkFile(path);
  const off = session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => file.write(chunk));
  const from = now();
  try {
    await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false }, { timeoutMs });
    return { ...file.finish(), tookMs: now() - from };
  } catch (error) {
    file.discard();
    throw error;
  } finally {
    off();
  }
}

class ChunkFile {
  private readonly descriptor: number;
  private readonly hash = createHash('sha256');
  private bytes = 0;
  private failure: unknown;

  constructor(private readonly path: string) {
    try {
      mkdirSync(join(path, '..'), { recursive: true });
      this.descriptor = openSync(path, 'wx', 0o600); // a heap holds secrets
    } catch (cause) {
      throw new LensError('storage', `${path} can't be written.`, undefined, { cause });
    }
  }

  /** Written at once: chunks that wait in memory are what a snapshot of a large heap must not do. */
  write(chunk: string): void {
    if (this.failure !== undefined) return;
    try {
      const data = Buffer.from(chunk, 'utf8');
      for (let at = 0; at < data.length; ) at += writeSync(this.descriptor, data, at);
      this.hash.update(data);
      this.bytes += data.length;
    } catch (error) {
      this.failure = error; // a listener must not throw into the connection; finish() tells
    }
  }

  finish(): { path: string; bytes: number; sha256: string } {
    if (this.failure !== undefined) {
      throw new LensError('storage', `${this.path} can't be written.`, 'Is the disk full?', { cause: this.failure });
    }
    closeSync(this.descriptor);
    return { path: this.path, bytes: this.bytes, sha256: this.hash.digest('hex') };
  }

  discard(): void {
    closeSync(this.descriptor);
    rmSync(this.path, { force: true });
  }
}
