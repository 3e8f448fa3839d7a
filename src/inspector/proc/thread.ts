import { readlink } from 'node:fs/promises';
import { readProc } from './status.js';
import { SYSCALLS } from './syscalls.js';

/** What /proc/PID/stat (or a task's) says of running and waiting. */
export interface ProcStat {
  readonly name: string;
  readonly state: string;
  readonly parentPid: number;
  /** User plus system time, in milliseconds. */
  readonly cpuMs: number;
  readonly threads: number;
  /** Ticks after boot: with the pid it names one process for ever. */
  readonly startTicks: number;
}

/** USER_HZ, 100 on every architecture that Node runs on. */
export const MS_PER_TICK = 10;

/** Undefined when the text is torn. The name may hold blanks and brackets: fields begin after the last one. */
export function parseStat(text: string): ProcStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const [state, parent] = fields;
  if (open < 0 || state === undefined || fields.length < 20) return undefined;
  return {
    name: text.slice(open + 1, close),
    state,
    parentPid: Number(parent),
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    threads: Number(fields[17]),
    startTicks: Number(fields[19]),
  };
}

export async function readStat(pid: number, task?: number): Promise<ProcStat | undefined> {
  const text = await readProc(pid, task === undefined ? 'stat' : `task/${task}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

export interface Syscall {
  readonly name: string;
  /** Hexadecimal, as the kernel prints them. */
  readonly args: readonly string[];
}

/** /proc/PID/syscall: "running", or number, six arguments, stack and program counter. */
export function parseSyscall(text: string, arch: string = process.arch): Syscall | undefined {
  const [number, ...rest] = text.trim().split(' ');
  if (number === undefined || !/^\d+$/.test(number)) return undefined;
  return { name: SYSCALLS[arch]?.[Number(number)] ?? `syscall ${number}`, args: rest.slice(0, 6) };
}

/** The main thread at one moment. Fields that this user may not read are undefined. */
export interface MainThread {
  readonly state: string;
  readonly cpuMs: number;
  readonly syscall: Syscall | undefined;
  readonly waitChannel: string | undefined;
}

export async function readMainThread(pid: number): Promise<MainThread | undefined> {
  const [stat, syscall, channel] = await Promise.all([
    readStat(pid, pid),
    readProc(pid, 'syscall'),
    readProc(pid, 'wchan'),
  ]);
  if (!stat) return undefined;
  return {
    state: stat.state,
    cpuMs: stat.cpuMs,
    syscall: syscall === undefined ? undefined : parseSyscall(syscall),
    waitChannel: channel === undefined || channel === '0' || channel === '' ? undefined : channel,
  };
}

/** True while the thread sleeps in the kernel's poll of the loop that Node's main thread was born with. */
export function pollsMainLoop(thread: MainThread, loopFds: readonly number[]): boolean {
  if (thread.state !== 'S') return false;
  if (!thread.syscall) return /^(do_epoll_wait|ep_poll)/.test(thread.waitChannel ?? '');
  if (!/^epoll_p?wait/.test(thread.syscall.name)) return false;
  // A child that is waited for synchronously is polled in a loop of its own, whose descriptor is newer.
  const fd = Number(thread.syscall.args[0]);
  const oldest = [...loopFds].sort((a, b) => a - b).slice(0, 3);
  return oldest.length === 0 || oldest.includes(fd);
}

/** What a file descriptor of the process points at. */
export async function fdTarget(pid: number, fd: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/fd/${fd}`).catch(() => undefined);
}
