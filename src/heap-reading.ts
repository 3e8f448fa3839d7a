import type { Collector } from './collectors/collector.js';
import { heapSnapshotCollector } from './collectors/heap-snapshot.js';
import { removeLeftFolders } from './collectors/private-folder.js';
import { type ReadChains, suspendedCollector } from './collectors/suspended.js';
import { runHeapJob } from './commands/heap/run-job.js';
import type { Session } from './inspector/session.js';
import type { Emit } from './model/event.js';
import type { HeapReading, HeapSnapshotFile, HeapSnapshotParams, SavedFile } from './model/evidence/heap-snapshot.js';
import { type Evidence, type EvidenceKind, type EvidenceOf, isUsable } from './model/evidence/index.js';
import type { Probe, ThreadParams } from './model/probe.js';

interface Place {
  readonly evidenceDirectory?: string;
  readonly emit: Emit;
}

/**
 * The collectors of a run: a heapSnapshot is filed with its evidence and read at once, in a thread of its own. One that is
 * taken for what waits is read and removed, and so is one that a lens which was killed has left.
 */
export function withHeapReading(
  given: ReadonlyMap<EvidenceKind, Collector>,
  { evidenceDirectory: directory, emit }: Place,
): ReadonlyMap<EvidenceKind, Collector> {
  void removeLeftFolders();
  // A collector's params belong to its own kind; the probe only hands it that kind's.
  const collectors = new Map<EvidenceKind, Collector>([
    ...given,
    ['suspended', suspendedCollector(readChains) as unknown as Collector],
  ]);
  if (directory === undefined) return collectors;
  const reading: Collector<'heap-snapshot'> = {
    ...heapSnapshotCollector,
    async collect(session, params, context) {
      const taken = await heapSnapshotCollector.collect(session, { directory, ...params }, context);
      for (const file of filesOf(taken.data)) announce(file, emit);
      try {
        return { ...taken, data: { ...taken.data, reading: await read(session, taken.data, context.signal) } };
      } catch (error) {
        if (context.signal.aborted) throw error;
        const why = error instanceof Error ? error.message : String(error);
        return { ...taken, partial: `The heapSnapshot was kept but could not be read: ${why}` };
      }
    },
  };
  return new Map<EvidenceKind, Collector>([...collectors, ['heap-snapshot', reading as unknown as Collector]]); // as above
}

const readChains: ReadChains = async (path, signal) => {
  const result = await runHeapJob({ kind: 'suspended', path, cwd: '/' }, { signal });
  if (result.kind !== 'suspended') throw new Error(`asked for what waits, got a ${result.kind}`);
  return result.chains;
};

async function read(session: Session, { path, dated }: HeapSnapshotFile, signal: AbortSignal): Promise<HeapReading> {
  const { pid, cwd } = session.target;
  const roots = pid > 0 ? [`/proc/${pid}/root`, ''] : [''];
  const result = await runHeapJob({ kind: 'reading', path, cwd, roots, ...(dated && { dated }) }, { signal });
  if (result.kind !== 'reading') throw new Error(`asked for a reading, got a ${result.kind}`);
  return result.reading;
}

function filesOf(data: HeapSnapshotFile): SavedFile[] {
  return data.dated?.by === 'two heapSnapshots' ? [data.dated.earlier, data] : [data];
}

function announce({ path, bytes, sha256 }: SavedFile, emit: Emit): void {
  emit({ type: 'artifact.saved', artifact: { kind: 'heapSnapshot', path, bytes, sha256 } });
}

/** Of many threads of a pool the largest say enough. */
const MOST_THREADS = 4;

/**
 * Keeps a heapSnapshot of the end, unless the run has taken one, and of the worker threads: each has a heap of its own.
 * A refusal is evidence that says what it would have cost.
 */
export async function saveHeapSnapshot({ probe, evidence }: Asked): Promise<void> {
  const all = [...evidence.values()];
  const has = all.some(one => one.kind === 'heap-snapshot' && isUsable(one));
  if (!has) await probe.ask('heap-snapshot', { name: 'heap' });
  // The evidence of a kind has that kind's data.
  const listed = all.findLast(one => one.kind === 'workers' && isUsable(one)) as EvidenceOf<'workers'> | undefined;
  const threads = listed && isUsable(listed) ? listed.data.workers : [];
  for (const { id } of threads.toSorted((a, b) => b.heapUsedBytes - a.heapUsedBytes).slice(0, MOST_THREADS)) {
    const ofThread: HeapSnapshotParams & ThreadParams = { name: `heap-thread-${id}`, thread: id };
    await probe.ask('heap-snapshot', ofThread);
  }
}

interface Asked {
  readonly probe: Probe;
  readonly evidence: ReadonlyMap<string, Evidence>;
}
