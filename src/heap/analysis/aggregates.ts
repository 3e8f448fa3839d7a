import { inSlices, inSlicesDown, SLICE } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import type { Classes } from './classes.js';
import type { Dominators } from './dominators.js';
import type { Pool } from './pool.js';
import type { RetainedSizes } from './retained.js';

/** What the objects of each class amount to, by class number. Objects without a size of their own don't count. */
export interface Aggregates {
  readonly count: Uint32Array;
  readonly selfSize: Float64Array;
  /** Bytes that would be free without any of them: objects under another one of the same class count once. */
  readonly retainedSize: Float64Array;
  readonly distance: Int32Array;
  /** The object of the class that retains most, and how many of the class are in what it dominates (itself included). */
  readonly largest: Uint32Array;
  readonly inLargest: Uint32Array;
}

interface Graph {
  readonly file: HeapFile;
  readonly classes: Classes;
  readonly dominators: Dominators;
  readonly retained: RetainedSizes;
}

/** Everything but the distances, which `addDistances` fills in once they are known. */
export function aggregate(graph: Graph, pool: Pool): Aggregates {
  const { file, classes } = graph;
  const { nodeCount, arena, selfSize, wideSizes } = file;
  const classCount = classes.list.length;
  const [counts, sizes, nearest] = [arena.words(classCount), arena.doubles(classCount), arena.integers(classCount)];
  const columns = [classes.of, counts, sizes].map(({ byteOffset }) => byteOffset);
  inSlices(0, nodeCount, (from, to) => arena.loops.countClasses(from, to, ...columns));
  for (const [node, size] of wideSizes) sizes[classes.of[node]!]! += size - selfSize[node]!;
  return { count: counts, selfSize: sizes, distance: nearest.fill(0x7fffffff), ...walkTree(graph, pool) };
}

/** The same with distances. */
export function sumsOf(graph: Graph & { readonly distance: Int32Array }, pool: Pool): Aggregates {
  const sums = aggregate(graph, pool);
  addDistances(graph.file, graph.classes, graph.distance, sums.distance);
  return sums;
}

/** Distance of a class: that of its nearest object. */
export function addDistances(file: HeapFile, { of }: Classes, distance: Int32Array, nearest: Int32Array): void {
  const columns = [of, distance, nearest].map(({ byteOffset }) => byteOffset);
  inSlices(0, file.nodeCount, (from, to) => file.arena.loops.nearestOfClasses(from, to, ...columns));
}

/** Words of a class's record: how many are open above, how many are in the outermost, the largest object and its number. */
const RECORD_WORDS = 4;

/** Walks the dominator tree with a record for each class. */
function walkTree({ file, classes, dominators, retained }: Graph, pool: Pool) {
  const { nodeCount, arena } = file;
  const { immediate, order } = dominators;
  const classCount = classes.list.length;
  const [child, sibling] = [pool.zeros(), pool.zeros()];
  const [records, sums] = [arena.words(classCount * RECORD_WORDS), arena.doubles(classCount)];
  const tree = [order, immediate, child, sibling].map(({ byteOffset }) => byteOffset);
  // In this order (and not in that of ordinals) neighbours in the tree are neighbours in memory: three times as fast.
  inSlicesDown(1, nodeCount - 1, (first, last) => arena.loops.listChildren(first, last, ...tree));
  const walked = [immediate, child, sibling, classes.of, retained, records, sums];
  arena.loops.beginWalk(...walked.map(({ byteOffset }) => byteOffset));
  const walk = retained instanceof Float64Array ? arena.loops.walkDoubles : arena.loops.walkWords;
  walk(0);
  while (walk(SLICE));
  pool.giveBack(child, sibling);
  const field = (at: number) => Uint32Array.from({ length: classCount }, (_, i) => records[i * RECORD_WORDS + at]!);
  return { retainedSize: sums, largest: field(2), inLargest: field(3) };
}
