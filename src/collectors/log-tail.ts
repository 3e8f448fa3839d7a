import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** A window's worth of log; a flood is seen in less. */
const MAX_BYTES = 1_000_000;

/** What is appended to the file behind a descriptor of the target from now on. */
export interface Tail {
  /** Whole lines appended since; at most the last megabyte. */
  lines(): string[];
}

/** Only regular files: reading a pipe would steal what the program's reader waits for. Undefined for all else. */
export function openTail(pid: number, fd: number): Tail | undefined {
  if (process.platform !== 'linux' || pid <= 0) return undefined;
  const path = `/proc/${pid}/fd/${fd}`;
  const from = sizeOf(path);
  if (from === undefined) return undefined;
  return { lines: () => readLines(path, from) };
}

function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined;
  }
}

function readLines(path: string, from: number): string[] {
  const size = sizeOf(path) ?? 0;
  const start = Math.max(from, size - MAX_BYTES);
  if (size <= start) return [];
  try {
    const file = openSync(path, 'r');
    const buffer = Buffer.alloc(size - start);
    const read = readSync(file, buffer, 0, buffer.length, start);
    closeSync(file);
    const lines = buffer.toString('utf8', 0, read).split('\n');
    return (start > from ? lines.slice(1) : lines).filter(line => line !== '' && !/^\s/.test(line));
  } catch {
    return [];
  }
}
