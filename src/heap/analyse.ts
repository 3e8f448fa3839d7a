import { type Aggregates, addDistances, aggregate } from './analysis/aggregates.js';
import { type Classes, classify } from './analysis/classes.js';
import { propagateDetachedness } from './analysis/detached.js';
import { findDistances } from './analysis/distances.js';
import { findDominators } from './analysis/dominators.js';
import { markEssentialEdges } from './analysis/essential.js';
import { type Facts, gatherFacts } from './analysis/facts.js';
import { bookBackingStores } from './analysis/own-sizes.js';
import { markOwned } from './analysis/owned.js';
import { Pool } from './analysis/pool.js';
import { findRetainedSizes, type RetainedSizes } from './analysis/retained.js';
import type { Tables } from './answers/tables.js';
import type { HeapFile } from './heap-file.js';
import { newClaim, type SecondThread } from './second-thread.js';
import { SharedHeap } from './shared-heap.js';

/** A heapSnapshot with everything that answers are made of. Sizes in bytes; all arrays by ordinal, and maybe longer. */
export interface Heap {
  readonly file: HeapFile;
  readonly facts: Facts;
  /** Immediate dominator of each node; the root's is itself. */
  readonly immediate: Uint32Array;
  readonly retained: RetainedSizes;
  /** Edges from the program's globals; 100 000 000 and more: only V8 reaches it; negative: nobody. */
  readonly distance: Int32Array;
  readonly classes: Classes;
  readonly aggregates: Aggregates;
  /** Where the second thread has counted them. */
  readonly tables?: Tables | undefined;
  /** Working arrays that the answers use again. */
  readonly scratch: Pool;
}

/** Told before each step; what it throws ends the work there. */
export type OnStep = (step: string, done: number, of: number) => void;

const STEPS = [
  'facts',
  'owners',
  'dominators',
  'sizes',
  'retained sizes',
  'classes',
  'class sizes',
  'distances',
] as const;

export interface AnalyseOptions {
  readonly onStep?: OnStep;
  /** Does a part of it at the same time, where the file's columns are shared memory. */
  readonly second?: SecondThread | undefined;
}

/** Turns a parsed file into a heap; changes the file in place (marks, booked sizes), so that each file is analysed once. */
export function analyse(file: HeapFile, { onStep, second }: AnalyseOptions = {}): Heap {
  const step = (name: (typeof STEPS)[number]) => onStep?.(name, STEPS.indexOf(name), STEPS.length);
  const pool = new Pool(file.nodeCount + 2, file.arena);
  step('facts');
  const facts = gatherFacts(file);
  propagateDetachedness(file, facts);
  const distances = newClaim();
  second?.begin(file, facts, distances);
  step('owners');
  markOwned(file, facts, pool);
  markEssentialEdges(file, facts);
  step('dominators');
  const dominators = findDominators(file, pool);
  step('sizes');
  const wideSizes = second?.endSizes();
  if (wideSizes) file.wideSizes = wideSizes;
  else bookBackingStores(file, facts, pool);
  step('retained sizes');
  const retained = findRetainedSizes(file, dominators, pool);
  step('classes');
  const own = { file, facts, immediate: dominators.immediate, retained, scratch: pool };
  if (second && wideSizes) return new SharedHeap(second, own, dominators, distances);
  const classes = classify(file, facts, pool);
  step('class sizes');
  const aggregates = aggregate({ file, classes, dominators, retained }, pool);
  pool.giveBackWhole(dominators.order); // not needed again
  step('distances');
  const distance = findDistances(file, facts, pool);
  addDistances(file, classes, distance, aggregates.distance);
  return { ...own, classes, distance, aggregates };
}
