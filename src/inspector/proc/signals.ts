import { readdir } from 'node:fs/promises';
import { type ProcStatus, parseStatus, readProc } from './status.js';

const SIGUSR1_BIT = 1n << 9n;

/** node's SignalInspector thread blocks every signal but the two that can't be and the two the C library keeps. */
const SIGNAL_THREAD_MASK = 0xfffffffe7ffbfeffn;

/** SIGUSR1 kills what does not catch it. */
export function catchesSigusr1(status: ProcStatus): boolean {
  return (status.caughtSignals & SIGUSR1_BIT) !== 0n;
}

/** True once node's thread that opens the inspector on SIGUSR1 waits in the process. */
export async function hasSignalThread(pid: number): Promise<boolean> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const statuses = await Promise.all(tasks.map(task => readProc(pid, `task/${task}/status`)));
  return statuses.some(text => text !== undefined && parseStatus(text).blockedSignals === SIGNAL_THREAD_MASK);
}
