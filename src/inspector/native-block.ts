import { setTimeout as sleep } from 'node:timers/promises';
import { LensError } from '../model/error.js';
import type { NativeBlock } from '../model/evidence/hang.js';
import { readChildren } from './proc/children.js';
import { fdTarget, type MainThread, readMainThread } from './proc/thread.js';

/** The main thread is inside C++ or the kernel and answers nothing: what is known of it comes from /proc. */
export class TargetBlockedError extends LensError {
  constructor(
    readonly block: NativeBlock,
    /** Waits at most this long for the end of the block and closes the inspector that then opens; true when nothing is left. */
    readonly closeWhenOpened: (timeoutMs: number) => Promise<boolean>,
  ) {
    super('target-blocked', `Process ${block.pid} answers nothing: its main thread is ${block.summary}.`, NEXT_STEP);
  }
}

const NEXT_STEP =
  'The call cannot be interrupted from outside. Look at the code that makes it; `gdb -batch -ex bt -p PID` shows the C++ stack.';

/** Long enough for a percent of cpu to mean something, at 10 ms a tick. */
const CPU_WINDOW_MS = 300;

/** Calls whose first argument is a file descriptor. */
const ON_DESCRIPTOR =
  /^(p?readv?(64)?|p?writev?(64)?|recv(from|msg)|send(to|msg)|connect|accept|fs?d?a?t?a?sync|flock|fcntl|getdents64)$/;

/** Reads what the kernel knows of a main thread that does not answer; `observedMs` is how long it was seen so. */
export async function describeNativeBlock(pid: number, observedMs: number): Promise<NativeBlock> {
  const before = await readMainThread(pid);
  await sleep(CPU_WINDOW_MS);
  const [thread, children] = await Promise.all([readMainThread(pid), readChildren(pid)]);
  if (!thread || !before) throw new LensError('target-lost', `Process ${pid} ended while lens looked at it.`);
  const cpuPercent = Math.round(((thread.cpuMs - before.cpuMs) / CPU_WINDOW_MS) * 100);
  const file = await fileOf(pid, thread);
  const block = {
    pid,
    state: thread.state,
    cpuPercent,
    observedMs: Math.round(observedMs + CPU_WINDOW_MS),
    ...(thread.syscall && { syscall: thread.syscall }),
    ...(file !== undefined && { file }),
    ...(thread.waitChannel !== undefined && { waitChannel: thread.waitChannel }),
    children: children.map(({ pid, command, seconds }) => ({ pid, command, seconds })),
  };
  return { ...block, summary: summarize(block) };
}

async function fileOf(pid: number, thread: MainThread): Promise<string | undefined> {
  if (!thread.syscall || !ON_DESCRIPTOR.test(thread.syscall.name)) return undefined;
  return fdTarget(pid, Number(thread.syscall.args[0]));
}

function summarize(block: Omit<NativeBlock, 'summary'>): string {
  const { syscall, file, waitChannel } = block;
  const child = block.children[0];
  if (block.state === 'R' && !syscall) return `computing in native code (${block.cpuPercent} % of a core)`;
  const at = waitChannel === undefined ? '' : `, sleeping in ${waitChannel}`;
  const polls = syscall ? syscall.name.startsWith('epoll') : /^(do_epoll_wait|ep_poll)/.test(waitChannel ?? '');
  if (polls && child) return `waiting synchronously for its child ${child.pid}: ${child.command}`;
  if (syscall) return `blocked in the system call ${syscall.name}${file === undefined ? '' : ` on ${file}`}${at}`;
  return `blocked in native code (state ${block.state}${at})`;
}
