import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeInspectorAt } from './close-later.js';
import { openInspector } from './inspector-port.js';
import { lockHolder } from './lock.js';
import { readChildren } from './proc/children.js';
import { readProc } from './proc/status.js';

/** An idle worker opens within 50 ms, a busy one within a second. */
const OPENS_WITHIN_MS = 2_000;
const POLL_MS = 50;

/**
 * The workers of a cluster's primary whose inspectors are closed. Opening the primary's makes Node open theirs as well
 * (lib/internal/cluster/primary.js, NODE_DEBUG_ENABLED), and nobody would ever close them.
 */
export async function closedWorkers(pid: number): Promise<readonly number[]> {
  const children = await readChildren(pid);
  const closed = await Promise.all(
    children.map(async child => (await isWorker(child.pid)) && !(await openInspector(child.pid))),
  );
  return children.filter((_, i) => closed[i]).map(child => child.pid);
}

/** What tells a worker that it is one. */
async function isWorker(pid: number): Promise<boolean> {
  const environment = await readProc(pid, 'environ');
  return environment?.split('\0').some(entry => entry.startsWith('NODE_UNIQUE_ID=')) ?? false;
}

type Connect = ((port: number, host: string) => Duplex) | undefined;

/** Closes the workers' inspectors as soon as they open; resolves when all were closed, or no more can be expected. */
export async function closeWhenOpened(workers: readonly number[], connect: Connect): Promise<void> {
  const left = new Set(workers);
  const until = performance.now() + OPENS_WITHIN_MS;
  while (left.size > 0 && performance.now() < until) {
    await sleep(POLL_MS);
    for (const pid of await closeOpened([...left], connect)) left.delete(pid);
  }
}

/** Closes those that are open now, but for one that another lens looks at; returns which they were. */
export async function closeOpened(workers: readonly number[], connect: Connect): Promise<readonly number[]> {
  const done = await Promise.all(
    workers.map(async pid => {
      const address = await openInspector(pid, { connect }).catch(() => undefined); // it has ended
      if (!address) return false;
      return (await lockHolder(pid)) !== undefined || closeInspectorAt(address.url, connect).catch(() => false);
    }),
  );
  return workers.filter((_, i) => done[i]);
}
