import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** `mkdir -p` for its owner alone. Its error names the true cause: Node's recursive one says ENOENT of a read-only disk. */
export function makeDirectory(path: string): void {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // every fs error has a code
  }
}
