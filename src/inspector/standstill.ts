import { readFileSync } from 'node:fs';
import type { Connection } from './session.js';

/** A cheap call whose answer says that the target listens. */
const FIRST = 'Runtime.getIsolateId';
const NS_PER_MS = 1e6;

/** A blocked target listens when its own call returns. */
const LISTENS_WITHIN_MS = 60_000;

/** For how long a process' main thread was ready and had to wait for a core, in milliseconds; 0 where nothing tells. */
function waitedForCoreMs(pid: number): number {
  if (pid === 0) return 0;
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / NS_PER_MS;
  } catch {
    return 0;
  }
}

/**
 * What a call stopped the target for, in milliseconds. The clock starts when the target has begun to listen, because a
 * program that blocks its own loop makes a call late, not long; and what a crowded host took from the main thread
 * meanwhile is not counted. Its cpu alone would be too little: collections wait for V8's other threads. `pid` 0: unknown.
 */
export async function standstill<T>(
  connection: Pick<Connection, 'sendRaw'>,
  pid: number,
  call: () => Promise<T>,
): Promise<{ readonly value: T; readonly pausedMs: number }> {
  let since = now(pid);
  const listening = connection.sendRaw(FIRST, {}, { timeoutMs: LISTENS_WITHIN_MS }).then(
    () => {
      since = now(pid);
    },
    () => undefined, // lost: the call itself says so
  );
  const value = await call();
  const until = now(pid);
  await listening;
  return { value, pausedMs: Math.max(0, until.wallMs - since.wallMs - (until.waitedMs - since.waitedMs)) };
}

const now = (pid: number) => ({ wallMs: performance.now(), waitedMs: waitedForCoreMs(pid) });
