import { readdir } from 'node:fs/promises';
import { readProc } from './status.js';
import { readStat } from './thread.js';

export interface Thread {
  readonly id: number;
  readonly name: string;
  readonly state: string;
  /** User plus system time, in milliseconds. */
  readonly cpuMs: number;
}

/** Every thread of a process; those that end while they are read are left out. */
export async function readThreads(pid: number): Promise<Thread[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const threads = await Promise.all(tasks.map(task => readThread(pid, Number(task))));
  return threads.filter(thread => thread !== undefined);
}

async function readThread(pid: number, id: number): Promise<Thread | undefined> {
  const stat = await readStat(pid, id);
  return stat && { id, name: stat.name, state: stat.state, cpuMs: stat.cpuMs };
}

/** Scheduler statistics of the main thread since it began, in milliseconds. */
export interface RunTimes {
  readonly ranMs: number;
  /** Runnable, but without a core. */
  readonly waitedMs: number;
}

export function parseSchedstat(text: string): RunTimes | undefined {
  const [ran, waited] = text.trim().split(' ').map(Number);
  // A kernel without these statistics answers zeros.
  return !ran || waited === undefined ? undefined : { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
}

export async function readRunTimes(pid: number): Promise<RunTimes | undefined> {
  return parseSchedstat((await readProc(pid, `task/${pid}/schedstat`)) ?? '');
}

/** Milliseconds that each thread ran or was ready to run, by the kernel's id. */
export type TaskTimes = ReadonlyMap<number, number>;

/** Of every thread of a process; empty where the kernel keeps no such statistics. */
export async function readTaskTimes(pid: number): Promise<TaskTimes> {
  const tasks = pid > 0 ? await readdir(`/proc/${pid}/task`).catch(() => []) : [];
  const times = await Promise.all(
    tasks.map(async task => {
      const times = parseSchedstat((await readProc(pid, `task/${task}/schedstat`)) ?? '');
      return times ? [[Number(task), times.ranMs + times.waitedMs] as const] : [];
    }),
  );
  return new Map(times.flat());
}
