import { readFile } from 'node:fs/promises';
import { type CgroupMemory, readCgroup } from './cgroup.js';
import { readProc } from './status.js';

/** What is left before the machine or a container's limit kills, in bytes; 0 where /proc can't tell. */
export async function availableMemory(pid: number): Promise<number> {
  const [meminfo, cgroup] = await Promise.all([readMeminfo(), readCgroup(pid)]);
  const room = roomInLimit(cgroup?.memory);
  return meminfo === undefined ? 0 : Math.min(meminfo.availableBytes, room ?? Number.POSITIVE_INFINITY);
}

function roomInLimit(memory: CgroupMemory | undefined): number | undefined {
  return memory?.limitBytes === undefined ? undefined : Math.max(0, memory.limitBytes - memory.workingSetBytes);
}

export interface Meminfo {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

/** Lines of "Name:   123 kB" as bytes. */
export function parseKilobytes(text: string): Map<string, number> {
  return new Map([...text.matchAll(/^(\w+):\s+(\d+) kB$/gm)].map(([, name = '', kB]) => [name, Number(kB) * 1024]));
}

export function parseMeminfo(text: string): Meminfo | undefined {
  const field = parseKilobytes(text);
  const totalBytes = field.get('MemTotal');
  const availableBytes = field.get('MemAvailable');
  if (totalBytes === undefined || availableBytes === undefined) return undefined;
  const swap = { swapTotalBytes: field.get('SwapTotal') ?? 0, swapFreeBytes: field.get('SwapFree') ?? 0 };
  return { totalBytes, availableBytes, ...swap };
}

export async function readMeminfo(): Promise<Meminfo | undefined> {
  return parseMeminfo(await readFile('/proc/meminfo', 'utf8').catch(() => ''));
}

/** Sums over all mappings. The kernel walks the page tables for it: about a millisecond per gigabyte. */
export interface MemoryRollup {
  readonly rssBytes: number;
  /** Shared pages counted by share. */
  readonly pssBytes: number;
  readonly anonymousBytes: number;
  readonly privateDirtyBytes: number;
  /** Given back by the allocator, not yet taken by the kernel. */
  readonly lazyFreeBytes: number;
  readonly swapBytes: number;
}

export function parseRollup(text: string): MemoryRollup | undefined {
  const field = parseKilobytes(text);
  const bytes = (name: string) => field.get(name) ?? 0;
  if (!field.has('Rss')) return undefined;
  return {
    rssBytes: bytes('Rss'),
    pssBytes: bytes('Pss'),
    anonymousBytes: bytes('Anonymous'),
    privateDirtyBytes: bytes('Private_Dirty'),
    lazyFreeBytes: bytes('LazyFree'),
    swapBytes: bytes('Swap'),
  };
}

export async function readRollup(pid: number): Promise<MemoryRollup | undefined> {
  return parseRollup((await readProc(pid, 'smaps_rollup')) ?? '');
}
