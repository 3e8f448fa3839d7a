import { readdir } from 'node:fs/promises';
import { readProc } from './status.js';
import { readStat } from './thread.js';

export interface ChildProcess {
  readonly pid: number;
  readonly command: string;
  readonly state: string;
  /** Age in seconds. */
  readonly seconds: number;
}

/** Direct children of every thread; those of a synchronous spawn belong to the main thread. */
export async function readChildren(pid: number): Promise<ChildProcess[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const texts = await Promise.all(tasks.map(task => readProc(pid, `task/${task}/children`)));
  const pids = texts.flatMap(text => text?.trim().split(' ').filter(Boolean).map(Number) ?? []);
  const children = await Promise.all(pids.map(readChild));
  return children.filter(child => child !== undefined);
}

async function readChild(pid: number): Promise<ChildProcess | undefined> {
  const [stat, command, seconds] = await Promise.all([readStat(pid), readCommand(pid), ageSeconds(pid)]);
  return stat && { pid, command: command || `[${stat.name}]`, state: stat.state, seconds };
}

/** The command line with blanks for separators; empty for a zombie or a kernel thread. */
export async function readCommand(pid: number): Promise<string> {
  return ((await readProc(pid, 'cmdline')) ?? '').split('\0').filter(Boolean).join(' ').trim(); // a title is padded
}

/** Seconds since the process began; 0 where /proc can't tell. */
export async function ageSeconds(pid: number): Promise<number> {
  const [stat, uptime] = await Promise.all([readStat(pid), readUptime()]);
  return stat === undefined || uptime === 0 ? 0 : Math.max(0, uptime - stat.startTicks / 100);
}

async function readUptime(): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  return Number.parseFloat(await readFile('/proc/uptime', 'utf8').catch(() => '0'));
}
