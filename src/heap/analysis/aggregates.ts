import type { HeapFile } from '../heap-file.js';
import type { Classes } from './classes.js';
import type { Dominators } from './dominators.js';
import { sizeOf } from './own-sizes.js';
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
  const classCount = classes.list.length;
  const sums: Aggregates = {
    count: new Uint32Array(classCount),
    selfSize: new Float64Array(classCount),
    retainedSize: new Float64Array(classCount),
    distance: new Int32Array(classCount).fill(0x7fffffff),
    largest: new Uint32Array(classCount),
    inLargest: new Uint32Array(classCount),
  };
  for (let node = 0; node < file.nodeCount; node++) {
    const size = sizeOf(file, node);
    if (size === 0) continue;
    const index = classes.of[node]!;
    sums.count[index]!++;
    sums.selfSize[index]! += size;
  }
  addRetained(graph, sums, pool);
  return sums;
}

/** The same with distances. */
export function sumsOf(graph: Graph & { readonly distance: Int32Array }, pool: Pool): Aggregates {
  const sums = aggregate(graph, pool);
  addDistances(graph.file, graph.classes, graph.distance, sums.distance);
  return sums;
}

/** Distance of a class: that of its nearest object. */
export function addDistances({ selfSize }: HeapFile, { of }: Classes, distance: Int32Array, nearest: Int32Array): void {
  for (let node = 0; node < of.length && node < selfSize.length; node++) {
    const index = of[node]!;
    if (selfSize[node] !== 0 && distance[node]! < nearest[index]!) nearest[index] = distance[node]!;
  }
}

/** Walks the dominator tree with a counter per class of how many of it are open above. */
function addRetained({ file, classes, dominators, retained }: Graph, sums: Aggregates, pool: Pool): void {
  const { immediate, order } = dominators;
  const { nodeCount, root, selfSize } = file;
  const { of } = classes;
  const { retainedSize, largest, inLargest } = sums;
  const open = new Uint32Array(classes.list.length);
  const within = new Uint32Array(classes.list.length);
  const [firstChild, nextSibling] = childLists(nodeCount, immediate, order, pool);
  const enter = (node: number) => {
    if (selfSize[node] === 0) return;
    const index = of[node]!;
    if (open[index]!++ === 0) {
      retainedSize[index]! += retained[node]!;
      within[index] = 0;
    }
    within[index]!++;
  };
  const leave = (node: number) => {
    if (selfSize[node] === 0) return;
    const index = of[node]!;
    if (--open[index]! > 0 || (inLargest[index] !== 0 && retained[node]! <= retained[largest[index]!]!)) return;
    largest[index] = node;
    inLargest[index] = within[index]!;
  };
  let node = root;
  enter(node);
  for (;;) {
    let next = firstChild[node]!;
    while (next === 0) {
      leave(node);
      if (node === root) {
        pool.giveBack(firstChild, nextSibling);
        return;
      }
      next = nextSibling[node]!;
      node = immediate[node]!;
    }
    node = next - 1;
    enter(node);
  }
}

/** First child and next sibling of each node in the dominator tree, plus one; 0: none. */
function childLists(nodeCount: number, immediate: Uint32Array, order: Uint32Array, pool: Pool) {
  const firstChild = pool.zeros();
  const nextSibling = pool.zeros();
  // In this order (and not in that of ordinals) neighbours in the tree are neighbours in memory: three times as fast.
  for (let at = nodeCount - 1; at >= 1; at--) {
    const node = order[at]!;
    const above = immediate[node]!;
    nextSibling[node] = firstChild[above]!;
    firstChild[above] = node + 1;
  }
  return [firstChild, nextSibling] as const;
}
