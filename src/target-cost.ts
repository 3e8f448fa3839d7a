import { readFileSync } from 'node:fs';
import type { CostBasis } from './collectors/collector.js';
import { availableMemory } from './inspector/proc/memory.js';
import type { Session } from './inspector/session.js';

/** Ticks of /proc/PID/stat: Linux has reported 100 a second to user space on every architecture Node runs on. */
const MS_PER_TICK = 10;

/** What the guard's estimates rest on: the heap now (of a worker thread where one is meant), and the memory left before a limit kills. */
export async function costBasis(session: Session, thread?: string): Promise<CostBasis> {
  const threads = thread === undefined ? [] : await session.workers();
  const meant = threads.find(({ workerId }) => workerId === thread) ?? session;
  const { usedSize } = await meant.send('Runtime.getHeapUsage');
  return { heapUsedBytes: usedSize, availableBytes: await availableMemory(session.target.pid) };
}

/** User and system time of the process so far, in milliseconds; undefined where /proc can't tell. */
export function targetCpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}
