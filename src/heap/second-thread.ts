import { type Aggregates, sumsOf } from './analysis/aggregates.js';
import { type Classes, classify } from './analysis/classes.js';
import { findDistances } from './analysis/distances.js';
import type { Dominators } from './analysis/dominators.js';
import type { Facts } from './analysis/facts.js';
import { bookBackingStores } from './analysis/own-sizes.js';
import { Pool } from './analysis/pool.js';
import type { RetainedSizes } from './analysis/retained.js';
import { type Tables, tablesOf } from './answers/tables.js';
import type { HeapFile } from './heap-file.js';
import { sharedBuffer } from './parse/new-buffer.js';

/** What needs no dominators, and can be found beside them by a thread that shares the columns. */
export interface BesideDominators {
  readonly classes: Classes;
  /** Undefined where the first thread has taken them. */
  readonly distance: Int32Array | undefined;
}

/** One word of shared memory: whoever comes first does what it stands for. */
export type Claim = Int32Array;

export const newClaim = (): Claim => new Int32Array(sharedBuffer(4));
export const isFirst = (claim: Claim): boolean => Atomics.add(claim, 0, 1) === 0;

/** What the second thread does, in the order of its methods. */
export class BesideAnalysis {
  private readonly pool: Pool;
  private beside: BesideDominators | undefined;

  /**
   * Books own sizes. Meanwhile the first thread may mark owned nodes and invert targets: no step here reads such a mark, and
   * each takes an edge either way.
   */
  constructor(
    private readonly file: HeapFile,
    private readonly facts: Facts,
    private readonly distances: Claim,
  ) {
    this.pool = new Pool(file.nodeCount + 2, file.arena);
    bookBackingStores(file, facts, this.pool);
  }

  /** Own sizes change in their column; this is what does not fit it. */
  get wideSizes(): Map<number, number> {
    return this.file.wideSizes;
  }

  result(): BesideDominators {
    this.beside ??= this.find();
    return this.beside;
  }

  private find(): BesideDominators {
    const { file, facts, pool } = this;
    const classes = classify(file, facts, pool);
    return { classes, distance: isFirst(this.distances) ? findDistances(file, facts, pool) : undefined };
  }

  /** Undefined without distances. */
  sums({ dominators, retained, lent, ...first }: SumsRequest): Aggregates | undefined {
    this.pool.giveBack(lent);
    const { classes, distance = first.distance } = this.result();
    return distance && sumsOf({ file: this.file, classes, distance, dominators, retained }, this.pool);
  }

  tables(): Tables {
    return tablesOf({ file: this.file, facts: this.facts, scratch: this.pool });
  }
}

export interface SumsRequest {
  readonly dominators: Dominators;
  readonly retained: RetainedSizes;
  /** A working array that the first thread can do without meanwhile. */
  readonly lent: Uint32Array;
  /** Where the first thread has found them. */
  readonly distance?: Int32Array | undefined;
}

/** The other thread as the first one sees it: what is begun has to be ended, which waits. Undefined: it could not do it. */
export interface SecondThread {
  begin(file: HeapFile, facts: Facts, distances: Claim): void;
  /** Own sizes are booked: those that do not fit their column. */
  endSizes(): Map<number, number> | undefined;
  end(): BesideDominators | undefined;
  /** After `endSizes`; the arrays are shared memory, and stay as they are until `endSums`. */
  beginSums(request: SumsRequest): void;
  /** After `end`. */
  endSums(): Aggregates | undefined;
  /** After `beginSums`. */
  beginTables(): void;
  /** After `endSums`. */
  endTables(): Tables | undefined;
}
