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

/** What needs no dominators, and can be done beside them by a thread that shares the columns. */
export interface BesideDominators {
  readonly classes: Classes;
  readonly distance: Int32Array;
  /** Own sizes change in their column; this is what does not fit it. */
  readonly wideSizes: Map<number, number>;
}

/** What the second thread does. */
export class BesideAnalysis {
  private readonly pool: Pool;
  private readonly classes: Classes;
  private readonly distance: Int32Array;

  /**
   * Books own sizes, finds distances and classes. Meanwhile the first thread may mark owned nodes and invert targets: these
   * steps read no such mark, and take an edge either way.
   */
  constructor(
    private readonly file: HeapFile,
    private readonly facts: Facts,
  ) {
    this.pool = new Pool(file.nodeCount + 2, sharedBuffer);
    bookBackingStores(file, facts, this.pool);
    this.distance = findDistances(file, facts, this.pool);
    this.classes = classify(file, facts, this.pool);
  }

  get result(): BesideDominators {
    return { classes: this.classes, distance: this.distance, wideSizes: this.file.wideSizes };
  }

  sums({ dominators, retained, lent }: SumsRequest): Aggregates {
    this.pool.giveBack(lent);
    const { file, classes, distance } = this;
    return sumsOf({ file, classes, distance, dominators, retained }, this.pool);
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
}

/** The other thread as the first one sees it: what is begun has to be ended, which waits. Undefined: it could not do it. */
export interface SecondThread {
  begin(file: HeapFile, facts: Facts): void;
  end(): BesideDominators | undefined;
  /** After `end`; the arrays are shared memory, and stay as they are until `endSums`. */
  beginSums(request: SumsRequest): void;
  endSums(): Aggregates | undefined;
  /** After `beginSums`. */
  beginTables(): void;
  /** After `endSums`. */
  endTables(): Tables | undefined;
}
