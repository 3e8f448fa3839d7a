import { freemem } from 'node:os';
import { Arena } from '../../heap/index.js';
import { LensError } from '../../model/error.js';

/** Bytes: the cgroup's room where Node knows it (20.13 and later), else the machine's. */
export function availableMemory(): number {
  return process.availableMemory?.() ?? freemem();
}

/** Throws LensError where there are no addresses for it: V8 reserves ten GB of them, of which only what is written is taken. */
export function newArena(): Arena {
  try {
    return new Arena();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new LensError(
      'file-unreadable',
      `A heapSnapshot can't be analysed in this process: ${cause.message}.`,
      'Run lens without --jitless, and with 10 GB of addresses (ulimit -v); memory is taken by the size of the file only.',
      { cause },
    );
  }
}
