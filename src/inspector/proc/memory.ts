import { readFile } from 'node:fs/promises';

/** Bytes of memory that can still be had before the machine runs out; 0 where /proc can't tell. */
export async function availableMemory(_pid: number): Promise<number> {
  const meminfo = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  return Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1] ?? 0) * 1024;
}
