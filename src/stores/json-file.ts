import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LensError } from '../model/error.js';
import { makeDirectory } from './make-directory.js';

/** The file's content; undefined when there is no such file. Throws LensError `file-unreadable` or `file-malformed`. */
export function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // every fs error has a code
    throw new LensError('file-unreadable', `${path} can't be read: ${why(cause)}.`, undefined, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LensError(
      'file-malformed',
      `${path} is not JSON: ${why(cause)}.`,
      'Was it cut off, or is it another file?',
      { cause },
    );
  }
}

/** Writes beside the file and renames, so that a reader or a crash never meets a half. Throws LensError `storage`. */
export function writeJsonFile(path: string, value: unknown): void {
  try {
    makeDirectory(dirname(path));
    const fresh = `${path}.${process.pid}.tmp`;
    writeFileSync(fresh, `${JSON.stringify(value, null, 2)}\n`);
    renameSync(fresh, path);
  } catch (cause) {
    throw new LensError('storage', `${path} can't be written: ${why(cause)}.`, undefined, { cause });
  }
}

const why = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
