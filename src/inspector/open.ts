import { setTimeout as sleep } from 'node:timers/promises';
import { LensError } from '../model/error.js';
import { firstInspector, type InspectorAddress, openInspector } from './inspector-port.js';
import { catchesSigusr1, hasSignalThread } from './proc/signals.js';
import { listeningSockets } from './proc/sockets.js';
import { readStatus } from './proc/status.js';

export interface Opened extends InspectorAddress {
  /** True when lens' signal opened it. */
  readonly opened: boolean;
}

/** Idle targets open within 22 ms; a busy one needs its turn. */
const PORT_WAIT_MS = 4_000;
const POLL_MS = 5;

/** Node's first 40 ms: no thread yet that survives the signal. */
const YOUNG_WAIT_MS = 1_000;

/** Finds the inspector of a process, or opens one with SIGUSR1 when that is safe. */
export async function openByPid(pid: number, signal?: AbortSignal): Promise<Opened> {
  const known = await openInspector(pid);
  if (known) return { ...known, opened: false };
  await untilSignalIsSafe(pid);
  const before = new Set((await listeningSockets(pid)).map(socket => socket.inode));
  process.kill(pid, 'SIGUSR1');
  const address = await untilPortOpens(pid, before, signal);
  if (!address)
    throw new LensError('inspector-not-opened', `Process ${pid} did not open its inspector within ${PORT_WAIT_MS} ms.`);
  return { ...address, opened: true };
}

async function untilSignalIsSafe(pid: number): Promise<void> {
  const until = performance.now() + YOUNG_WAIT_MS;
  while (!(await signalIsSafe(pid))) {
    if (performance.now() > until) throw new LensError('target-not-node', `Process ${pid} would die of SIGUSR1.`);
    await sleep(POLL_MS);
  }
}

/** Both must hold, or the signal kills: the process catches it, and node's signal thread waits for it. */
async function signalIsSafe(pid: number): Promise<boolean> {
  const status = await readStatus(pid);
  if (!status)
    throw new LensError(
      'target-not-found',
      `No process has pid ${pid}.`,
      '`lens ps` lists the Node processes lens can see.',
    );
  return catchesSigusr1(status) && (await hasSignalThread(pid));
}

async function untilPortOpens(
  pid: number,
  before: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<InspectorAddress | undefined> {
  const until = performance.now() + PORT_WAIT_MS;
  while (performance.now() < until) {
    signal?.throwIfAborted();
    await sleep(POLL_MS);
    const fresh = (await listeningSockets(pid)).filter(socket => !before.has(socket.inode));
    const address = fresh.length > 0 ? await firstInspector(fresh) : undefined;
    if (address) return address;
  }
  return undefined;
}
