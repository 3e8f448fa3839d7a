import { lstatSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'lens-private-';

/** A folder in the temporary one that only this user may read; its name says whose it is. The caller removes it. */
export function makePrivateFolder(): string {
  return mkdtempSync(join(tmpdir(), `${PREFIX}${processSpace()}-${process.pid}-`));
}

/** Removes such folders of lenses that were killed: of this user, and of processes that are no more. Never throws. */
export async function removeLeftFolders(): Promise<void> {
  const space = processSpace();
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const [, theirs, pid] = /^(\d+)-(\d+)-\w+$/.exec(name.slice(PREFIX.length)) ?? [];
    if (pid === undefined || theirs !== space || isAlive(Number(pid))) continue;
    remove(join(tmpdir(), name));
  }
}

/** Containers may share a temporary folder, but not their pids: the number of Linux' pid namespace, 0 elsewhere. */
function processSpace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function remove(folder: string): void {
  try {
    const found = lstatSync(folder);
    if (found.isDirectory() && found.uid === process.getuid?.()) rmSync(folder, { recursive: true, force: true });
  } catch {
    // another lens was quicker
  }
}
