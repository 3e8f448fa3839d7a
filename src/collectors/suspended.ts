import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sayMs } from '../base/say.js';
import { isUserCode } from '../base/script-url.js';
import type { Connection, DebuggerConnection, Session } from '../inspector/session.js';
import { standstill } from '../inspector/standstill.js';
import type { AsyncFrame } from '../model/evidence/async-dump.js';
import type { Suspended, SuspendedCall, SuspendedChain, SuspendedStack } from '../model/evidence/suspended.js';
import type { CollectContext, Collector } from './collector.js';
import { stream } from './heap-snapshot.js';
import { makePrivateFolder } from './private-folder.js';

const MB = 1024 * 1024;
/** Measured on 6 to 14 MB of live heap, Node 18 to 24, where another took every third turn of the core: 40 to 72 ms for each MB. */
const PAUSE_MS_PER_MB = 80;
/** A collection first: what is garbage costs the snapshot nothing, and between two collections it is half of the heap. */
const COLLECT_MS_PER_MB = 2.8;
const COLLECT_BASE_MS = 30;
const collectMs = (bytes: number): number => COLLECT_BASE_MS + (bytes / MB) * COLLECT_MS_PER_MB;
/** As for any heapSnapshot. */
const MEMORY_PER_HEAP_BYTE = 15;
const TIMEOUT_MS = 60_000;

/**
 * V8 finds an object by its id by walking the whole heap (HeapProfiler::FindObjectById): a full marking for each question.
 * So a few chains of those that wait in the same functions speak for all of them.
 */
const MOST_ASKS = 8;
const ASKS_OF_ALIKE = 3;
const BREATH_MS = 20;
const OBJECT_GROUP = 'lens-suspended';

/** Reads the chains out of a heapSnapshot file: `heap` does it, in a thread of its own. */
export type ReadChains = (path: string, signal: AbortSignal) => Promise<readonly SuspendedChain[]>;

const noReader: ReadChains = () => Promise.reject(new Error('Nothing here reads a heapSnapshot.'));

/**
 * Everything that waits for a promise, also what began long before lens came: a heapSnapshot lists the suspended
 * functions, and V8 says of each at which line it stands. The file is removed again: a heap holds secrets.
 */
export const suspendedCollector = (readChains: ReadChains = noReader): Collector<'suspended'> => ({
  kind: 'suspended',
  title: 'Suspended functions',
  cost: 'pausing',
  estimate: ({ heapUsedBytes }) => ({
    pauseMs: collectMs(heapUsedBytes),
    memoryBytes: heapUsedBytes * MEMORY_PER_HEAP_BYTE,
  }),
  collect: (session, _params, context) =>
    session.withDebugger(async debug => {
      const directory = makePrivateFolder();
      try {
        const path = join(directory, 'suspended.heapsnapshot');
        const { tookMs, collectedMs, refusal } = await context.exclusively(() =>
          snapshot({ session, debug, path, context }),
        );
        const stoodMs = debug.pausedMs + collectedMs + tookMs;
        // What the target has paid for is booked, whatever becomes of it here.
        const without = (partial: string) => ({ data: NOTHING, pausedMs: Math.round(stoodMs), partial });
        if (refusal !== undefined) return without(refusal);
        const chains = await readChains(path, context.signal).catch((error: Error) => error);
        context.signal.throwIfAborted();
        if (chains instanceof Error) return without(`The heapSnapshot could not be read: ${chains.message}`);
        const { data, askedMs } = await standing(debug, chains, context);
        return { data, pausedMs: Math.round(stoodMs + askedMs), longestPauseMs: Math.round(tookMs) };
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }),
});

const NOTHING: Suspended = { stacks: [], chains: 0 };

interface Taking {
  readonly session: Session;
  readonly debug: Connection;
  readonly path: string;
  readonly context: CollectContext;
}

/** The collection shows how slow this machine is just now. */
async function snapshot({ session, debug, path, context }: Taking) {
  const collect = () => debug.send('HeapProfiler.collectGarbage', { timeoutMs: TIMEOUT_MS });
  const { pausedMs: collectedMs } = await standstill(session, session.target.pid, collect);
  const { usedSize } = await debug.send('Runtime.getHeapUsage');
  const slowdown = Math.max(1, collectedMs / collectMs(usedSize));
  const pauseMs = (usedSize / MB) * PAUSE_MS_PER_MB * slowdown;
  if (!context.mayPause(pauseMs, 'a look at what is suspended')) {
    const refusal = `It would stop the target for about ${sayMs(pauseMs)}: --max-pause ${Math.ceil(pauseMs)} allows it.`;
    return { tookMs: 0, collectedMs, refusal };
  }
  const { tookMs } = await stream(debug, path, TIMEOUT_MS, context.now);
  return { tookMs, collectedMs };
}

/** Where each stands: asked for a few of those that wait in the same functions. */
async function standing(debug: DebuggerConnection, chains: readonly SuspendedChain[], context: CollectContext) {
  const stacks: SuspendedStack[] = [];
  let asksLeft = MOST_ASKS;
  let askedMs = 0;
  for (const alike of alikes(chains)) {
    const samples = spread(alike, Math.min(asksLeft, ASKS_OF_ALIKE));
    asksLeft -= samples.length;
    const lines: AsyncFrame[][] = [];
    for (const sample of samples) {
      const from = context.now();
      lines.push(await asked(debug, sample));
      askedMs += context.now() - from;
      await context.sleep(BREATH_MS);
    }
    stacks.push(...shared(alike, lines.length > 0 ? lines : [written(alike[0])]));
  }
  await debug.send('Runtime.releaseObjectGroup', { objectGroup: OBJECT_GROUP });
  const data: Suspended = { stacks: stacks.sort((a, b) => b.count - a.count), chains: chains.length };
  return { data, askedMs };
}

type Alike = readonly [SuspendedChain, ...SuspendedChain[]];

/** Chains of the same functions; those that serve requests first, then the most. */
function alikes(chains: readonly SuspendedChain[]): Alike[] {
  const groups = new Map<string, [SuspendedChain, ...SuspendedChain[]]>();
  for (const chain of chains) {
    const key = chain.calls.map(({ place: { url, line, column } }) => `${url}:${line}:${column}`).join(' ');
    const group = groups.get(key);
    if (group) group.push(chain);
    else if (key !== '') groups.set(key, [chain]);
  }
  return [...groups.values()].sort((a, b) => servingOf(b) - servingOf(a) || b.length - a.length);
}

const servingOf = (alike: Alike): number => alike.filter(({ serving }) => serving).length;
const timedOf = (alike: Alike): number => alike.filter(({ timed }) => timed).length;

/** So many of them, from the first to the last. */
function spread(alike: Alike, count: number): SuspendedChain[] {
  const most = Math.min(count, alike.length);
  return Array.from({ length: most }, (_, i) => alike[Math.floor((i * alike.length) / most)] ?? alike[0]);
}

/** All of them, at the lines of those that were asked, as many at each as its share of them. */
function shared(alike: Alike, lines: readonly AsyncFrame[][]): SuspendedStack[] {
  const byPlace = new Map<string, { frames: AsyncFrame[]; times: number }>();
  for (const frames of lines) {
    const key = frames.map(({ line, column }) => `${line}:${column}`).join(' ');
    byPlace.set(key, { frames, times: (byPlace.get(key)?.times ?? 0) + 1 });
  }
  return [...byPlace.values()].map(({ frames, times }) => {
    const of = (count: number) => Math.round((count * times) / lines.length);
    return { count: of(alike.length), timed: of(timedOf(alike)), serving: of(servingOf(alike)), frames };
  });
}

const frameAt = ({ function: name, place }: SuspendedCall, at: { line: number; column: number }): AsyncFrame => ({
  function: name,
  url: place.url,
  line: at.line,
  column: at.column,
  suspended: true,
});

const written = ({ calls }: SuspendedChain): AsyncFrame[] => calls.map(call => frameAt(call, call.place));

/** Of the innermost function of the application V8 says where it stands, of the others the heap where they are written. */
async function asked(debug: Connection, chain: SuspendedChain): Promise<AsyncFrame[]> {
  const index = chain.calls.findIndex(({ id, place }) => id !== undefined && isUserCode(place.url));
  const call = chain.calls[index];
  const at = call?.id === undefined ? undefined : await standsAt(debug, call.id);
  return written(chain).map((frame, i) => (i === index && call && at ? frameAt(call, at) : frame));
}

/** V8's own word for where a suspended function goes on: one that moved on has none. */
async function standsAt(debug: Connection, id: number): Promise<{ line: number; column: number } | undefined> {
  const params = { objectId: String(id), objectGroup: OBJECT_GROUP };
  const { result } = await debug
    .send('HeapProfiler.getObjectByHeapObjectId', params)
    .catch(() => ({ result: undefined }));
  if (result?.objectId === undefined) return undefined;
  const own = { objectId: result.objectId, ownProperties: true };
  const { internalProperties = [] } = await debug.send('Runtime.getProperties', own);
  const location = internalProperties.find(({ name }) => name === '[[GeneratorLocation]]')?.value?.value;
  return location && { line: location.lineNumber + 1, column: location.columnNumber + 1 };
}
