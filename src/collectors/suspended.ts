import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sayMs } from '../base/say.js';
import type { Connection, DebuggerConnection, Session } from '../inspector/session.js';
import { standstill } from '../inspector/standstill.js';
import type { AsyncFrame } from '../model/evidence/async-dump.js';
import type { Suspended, SuspendedCall, SuspendedChain, SuspendedStack } from '../model/evidence/suspended.js';
import type { CollectContext, Collector } from './collector.js';
import { stream } from './heap-snapshot.js';

const MB = 1024 * 1024;
/** Measured on 6 to 14 MB of live heap, Node 18 to 24, on a machine of which a third was free: 40 to 72 ms for each MB. */
const PAUSE_MS_PER_MB = 60;
/** A collection first: what is garbage costs the snapshot nothing, and between two collections it is half of the heap. */
const COLLECT_MS_PER_MB = 2.8;
const COLLECT_BASE_MS = 30;
/** As for any heapSnapshot. */
const MEMORY_PER_HEAP_BYTE = 15;
const TIMEOUT_MS = 60_000;

/** Each costs two round trips of a fraction of a millisecond; of those that stand alike, a few hundred say it all. */
const MOST_CHAINS = 200;
/** Beyond these a stack says only who began it. */
const MOST_FRAMES = 5;
const OBJECT_GROUP = 'lens-suspended';

/** Reads the chains out of a heapSnapshot file: `heap` does it, in a thread of its own. */
export type ReadChains = (path: string, signal: AbortSignal) => Promise<readonly SuspendedChain[]>;

/**
 * Everything that waits for a promise, also what began long before lens came: a heapSnapshot lists the suspended
 * functions, and V8 says of each at which line it stands. The file is removed again: a heap holds secrets.
 */
export const suspendedCollector = (readChains: ReadChains): Collector<'suspended'> => ({
  kind: 'suspended',
  title: 'Suspended functions',
  cost: 'pausing',
  estimate: ({ heapUsedBytes }) => ({
    pauseMs: COLLECT_BASE_MS + (heapUsedBytes / MB) * COLLECT_MS_PER_MB,
    memoryBytes: heapUsedBytes * MEMORY_PER_HEAP_BYTE,
  }),
  collect: (session, _params, context) =>
    session.withDebugger(async debug => {
      const directory = mkdtempSync(join(tmpdir(), 'lens-'));
      try {
        const path = join(directory, 'suspended.heapsnapshot');
        const { tookMs, collectedMs } = await context.exclusively(() => snapshot({ session, debug, path, context }));
        const chains = await readChains(path, context.signal);
        const data = await standing(debug, chains, context);
        const pausedMs = Math.round(debug.pausedMs + collectedMs + tookMs);
        return { data, pausedMs, longestPauseMs: Math.round(tookMs) };
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }),
});

interface Taking {
  readonly session: Session;
  readonly debug: Connection;
  readonly path: string;
  readonly context: CollectContext;
}

async function snapshot({ session, debug, path, context }: Taking) {
  const collect = () => debug.send('HeapProfiler.collectGarbage', { timeoutMs: TIMEOUT_MS });
  const { pausedMs: collectedMs } = await standstill(session, session.target.pid, collect);
  const { usedSize } = await debug.send('Runtime.getHeapUsage');
  const pauseMs = (usedSize / MB) * PAUSE_MS_PER_MB;
  if (!context.mayPause(pauseMs, 'a look at what is suspended'))
    throw new Error(
      `It would stop the target for about ${sayMs(pauseMs)}: --max-pause ${Math.ceil(pauseMs)} allows it.`,
    );
  const { tookMs } = await stream(debug, path, TIMEOUT_MS, context.now);
  return { tookMs, collectedMs };
}

async function standing(debug: DebuggerConnection, chains: readonly SuspendedChain[], { signal }: CollectContext) {
  const stacks = new Map<string, SuspendedStack>();
  for (const chain of chosen(chains)) {
    signal.throwIfAborted();
    const frames = await framesOf(debug, chain.calls.slice(0, MOST_FRAMES));
    if (!frames) continue;
    const key = frames.map(({ url, line, column }) => `${url}:${line}:${column}`).join(' ');
    const { count = 0, timed = 0, serving = 0 } = stacks.get(key) ?? {};
    stacks.set(key, {
      count: count + 1,
      timed: timed + Number(chain.timed),
      serving: serving + Number(chain.serving),
      frames,
    });
  }
  await debug.send('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP });
  return { stacks: [...stacks.values()].sort((a, b) => b.count - a.count), chains: chains.length } satisfies Suspended;
}

/** Those that serve requests first. */
function chosen(chains: readonly SuspendedChain[]): SuspendedChain[] {
  const said = chains.filter(({ calls }) => calls.length > 0);
  return [...said.filter(({ serving }) => serving), ...said.filter(({ serving }) => !serving)].slice(0, MOST_CHAINS);
}

/** Undefined when the innermost has gone on meanwhile. */
async function framesOf(debug: Connection, calls: readonly SuspendedCall[]): Promise<AsyncFrame[] | undefined> {
  const frames = await Promise.all(calls.map(call => frameOf(debug, call)));
  const gone = frames.indexOf(undefined);
  const standing = gone < 0 ? frames : frames.slice(0, gone);
  return standing.length > 0 ? standing.flatMap(frame => frame ?? []) : undefined;
}

async function frameOf(debug: Connection, call: SuspendedCall): Promise<AsyncFrame | undefined> {
  const at = call.id === undefined ? call.place : await standsAt(debug, call.id);
  return at && { function: call.function, url: call.place.url, line: at.line, column: at.column, suspended: true };
}

/** V8's own word for where a suspended function goes on: one that moved on has none. */
async function standsAt(debug: Connection, id: number): Promise<{ line: number; column: number } | undefined> {
  const params = { objectId: String(id), objectGroup: OBJECT_GROUP };
  const { result } = await debug
    .send('HeapProfiler.getObjectByHeapObjectId', params)
    .catch(() => ({ result: undefined }));
  if (result?.objectId === undefined) return undefined;
  const { internalProperties = [] } = await debug.send('Runtime.getProperties', {
    objectId: result.objectId,
    ownProperties: true,
  });
  const location = internalProperties.find(({ name }) => name === '[[GeneratorLocation]]')?.value?.value;
  return location && { line: location.lineNumber + 1, column: location.columnNumber + 1 };
}
