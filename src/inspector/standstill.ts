import { readFileSync } from 'node:fs';
import type { Connection } from './session.js';

/** A cheap call whose answer says that the target listens. */
const FIRST = 'Runtime.getIsolateId';
const NS_PER_MS = 1e6;

/** A blocked target listens when its own call returns. */
const LISTENS_WITHIN_MS = 60_000;

/** CPU milliseconds of a process' main thread so far; undefined where the kernel doesn't tell. */
export function mainThreadCpuMs(pid: number): number | undefined {
  if (pid === 0) return undefined;
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ', 1)[0]) / NS_PER_MS;
  } catch {
    return undefined;
  }
}

/**
 * What a call stopped the target for, in milliseconds. The clock starts when the target has begun to listen, because a
 * program that blocks its own loop makes a call late, not long; and what the machine took away from the target meanwhile
 * is not counted: the main thread's own cpu is the upper bound. `pid` 0: unknown, then the clock alone counts.
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
  const wallMs = until.wallMs - since.wallMs;
  const cpuMs = until.cpuMs !== undefined && since.cpuMs !== undefined ? until.cpuMs - since.cpuMs : wallMs;
  return { value, pausedMs: Math.max(0, Math.min(wallMs, cpuMs)) };
}

const now = (pid: number) => ({ wallMs: performance.now(), cpuMs: mainThreadCpuMs(pid) });
