import { type Classes, classify } from './analysis/classes.js';
import { findDistances } from './analysis/distances.js';
import type { Facts } from './analysis/facts.js';
import { bookBackingStores } from './analysis/own-sizes.js';
import { Pool } from './analysis/pool.js';
import type { HeapFile } from './heap-file.js';
import { sharedBuffer } from './parse/new-buffer.js';

/** What needs no dominators, and can be done beside them by a thread that shares the columns. */
export interface BesideDominators {
  readonly classes: Classes;
  readonly distance: Int32Array;
  /** Own sizes change in their column; this is what does not fit it. */
  readonly wideSizes: Map<number, number>;
}

/**
 * Books own sizes, finds classes and distances. Meanwhile the other thread may mark owned nodes and invert targets: these
 * steps read neither, and take an edge either way.
 */
export function analyseBeside(file: HeapFile, facts: Facts): BesideDominators {
  const pool = new Pool(file.nodeCount + 2, sharedBuffer);
  bookBackingStores(file, facts, pool);
  const distance = findDistances(file, facts, pool);
  const classes = classify(file, facts, pool);
  return { classes, distance, wideSizes: file.wideSizes };
}

/** The other thread. */
export interface SecondThread {
  begin(file: HeapFile, facts: Facts): void;
  /** Waits for it; undefined when it could not do it. */
  end(): BesideDominators | undefined;
}
