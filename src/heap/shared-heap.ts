import type { Heap } from './analyse.js';
import { type Aggregates, sumsOf } from './analysis/aggregates.js';
import { type Classes, classify } from './analysis/classes.js';
import { findDistances } from './analysis/distances.js';
import type { Dominators } from './analysis/dominators.js';
import type { Facts } from './analysis/facts.js';
import type { Pool } from './analysis/pool.js';
import type { RetainedSizes } from './analysis/retained.js';
import type { Tables } from './answers/tables.js';
import type { HeapFile } from './heap-file.js';
import { type Claim, isFirst, type SecondThread } from './second-thread.js';

type Beside = Pick<Heap, 'classes' | 'distance'>;
type Own = Pick<Heap, 'file' | 'facts' | 'immediate' | 'retained' | 'scratch'>;

/**
 * A heap of which the second thread finds the rest: it is waited for where somebody asks, for the first part of the way to a
 * suspect needs none of it. What it could not do is done here.
 */
export class SharedHeap implements Heap {
  readonly file: HeapFile;
  readonly facts: Facts;
  readonly immediate: Uint32Array;
  readonly retained: RetainedSizes;
  readonly scratch: Pool;
  private lent: Uint32Array | undefined;
  private beside: Beside | undefined;
  private sums: Aggregates | undefined;
  private counted: Tables | undefined;
  private areTablesTold = false;

  constructor(
    private readonly second: SecondThread,
    own: Own,
    private readonly dominators: Dominators,
    private readonly distances: Claim,
  ) {
    ({ file: this.file, facts: this.facts, immediate: this.immediate } = own);
    ({ retained: this.retained, scratch: this.scratch } = own);
  }

  get classes(): Classes {
    return this.found.classes;
  }

  get distance(): Int32Array {
    return this.found.distance;
  }

  get aggregates(): Aggregates {
    this.sums ??= this.waitForSums();
    return this.sums;
  }

  get tables(): Tables | undefined {
    void this.aggregates; // its answers come in this order
    if (!this.areTablesTold) {
      this.counted = this.second.endTables();
      if (this.lent) this.scratch.giveBackWhole(this.lent); // counting used it, too
    }
    this.areTablesTold = true;
    return this.counted;
  }

  private get found(): Beside {
    this.beside ??= this.find();
    return this.beside;
  }

  /** Distances are whoever's comes to them first; the sums follow what the second thread is at. */
  private find(): Beside {
    const { file, facts, scratch, dominators, retained } = this;
    const own = isFirst(this.distances) ? findDistances(file, facts, scratch) : undefined;
    this.lent = scratch.dirty();
    this.second.beginSums({ dominators, retained, lent: this.lent, distance: own });
    this.second.beginTables();
    const beside = this.second.end();
    const distance = own ?? beside?.distance ?? findDistances(file, facts, scratch);
    return { distance, classes: beside?.classes ?? classify(file, facts, scratch) };
  }

  private waitForSums(): Aggregates {
    const graph = { ...this.found, file: this.file, dominators: this.dominators, retained: this.retained };
    const sums = this.second.endSums() ?? sumsOf(graph, this.scratch);
    this.scratch.giveBackWhole(this.dominators.order);
    return sums;
  }
}
