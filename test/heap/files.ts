import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyse, type Heap } from '../../src/heap/analyse.js';
import type { HeapFile } from '../../src/heap/heap-file.js';
import { type ReaderOptions, SnapshotReader } from '../../src/heap/parse/reader.js';

const RUNTIMES = new URL('../../fixtures/runtimes/node_modules/', import.meta.url).pathname;

/** Node binaries on this machine: the one that runs the test, and the target runtimes where they are installed. */
export function runtimes(): { name: string; path: string }[] {
  const installed = [18, 20, 22, 24, 26].map(version => ({
    name: `node ${version}`,
    path: join(RUNTIMES, `node${version}/bin/node`),
  }));
  return [
    { name: `this node (${process.version})`, path: process.execPath },
    ...installed.filter(({ path }) => existsSync(path)),
  ];
}

/** Runs a program that may call `snapshot()` (once or more), and gives the bytes of the files it wrote. */
export function snapshotsOf(program: string, node = process.execPath, flags: readonly string[] = []): Buffer[] {
  const folder = mkdtempSync(join(tmpdir(), 'lens-heap-'));
  try {
    const prelude = `let written = 0; const snapshot = () => require('node:v8').writeHeapSnapshot(${JSON.stringify(folder)} + '/' + written++);`;
    const run = spawnSync(node, ['--expose-gc', ...flags, '-e', `${prelude}\n${program}`], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    const files: Buffer[] = [];
    for (let i = 0; existsSync(join(folder, String(i))); i++) files.push(readFileSync(join(folder, String(i))));
    return files;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Feeds the bytes in chunks of the given sizes, over and over. */
export function parse(
  bytes: Uint8Array,
  chunkSizes: readonly number[] = [65_536],
  options: ReaderOptions = {},
): HeapFile {
  const reader = new SnapshotReader(options);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, chunkSizes[turn % chunkSizes.length] ?? 1);
    reader.write(bytes.slice(at, at + size));
    at += size;
  }
  return reader.end();
}

export function heapOf(bytes: Uint8Array): Heap {
  return analyse(parse(bytes));
}

/** Runs a program in its folder to its end. */
export function runOf(file: string, folder: string, node = process.execPath): void {
  const run = spawnSync(node, [file], { cwd: folder, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
}
