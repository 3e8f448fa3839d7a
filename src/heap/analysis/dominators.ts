import type { Arena } from '../arena.js';
import { type GraphColumns, inSlices, inSlicesDown, SLICE } from '../graph.js';
import { Pool } from './pool.js';

/** A graph as columns that are open in their arena; a negative target is an edge that does not retain and is passed over. */
export interface FlowGraph extends GraphColumns {
  readonly arena: Arena;
}

export interface Dominators {
  /** Immediate dominator of each node; the root's is itself. */
  readonly immediate: Uint32Array;
  /** Every node once, each behind its dominator. */
  readonly order: Uint32Array;
}

/**
 * Immediate dominators by the semi-NCA method (Georgiadis, 2005), on preorder numbers 1..n so that "earlier" is "<".
 * Nodes without a retaining edge count as held by the root; what only unreachable cycles hold is dominated by the root.
 * Both are what DevTools does.
 *
 * Memory is what a large file is short of: three words a node, and one large array. That holds the search's stack and
 * order, then the entering edges, and at last, growing down from its end while the edges are used up from theirs, the
 * labels. What is never written of it takes no memory.
 */
export function findDominators(graph: FlowGraph, pool = new Pool(graph.nodeCount + 2, graph.arena)): Dominators {
  const { nodeCount, edgeCount, arena } = graph;
  const { loops } = arena;
  const large = pool.large(edgeCount + 2 * (nodeCount + 2));
  const [number, parent, extra] = [pool.zeros(), pool.dirty(), pool.zeros()];
  loops.beginSearch(number.byteOffset, parent.byteOffset, extra.byteOffset, large.byteOffset);
  const reached = searchDepthFirst(graph);
  const edges = loops.sumExtra();
  inSlices(0, nodeCount, (from, to) => loops.collectEntering(from, to, large.byteOffset));
  inSlicesDown(2, reached, (first, last) => loops.findSemidominators(first, last, large.byteOffset));
  inSlices(2, reached + 1, loops.climb);
  pool.giveBack(extra);
  pool.cut(large, Math.max(2 * (nodeCount + 2), edges, 2 * reached + loops.shiftOf() + 2));
  const order = pool.dirty();
  inSlices(0, nodeCount, (from, to) => loops.orderNodes(from, to, order.byteOffset));
  pool.giveBack(number);
  const immediate = pool.dirty();
  if (reached < nodeCount) immediate.fill(NOT_REACHED);
  immediate[graph.root] = graph.root;
  inSlices(2, reached + 1, (from, to) => loops.nameDominators(from, to, order.byteOffset, immediate.byteOffset));
  if (reached < nodeCount) loops.appendUnreached(immediate.byteOffset, order.byteOffset);
  pool.giveBack(parent);
  return { immediate, order: order.subarray(1, nodeCount + 1) };
}

const NOT_REACHED = 0xffffffff;

/** Gives how many nodes were reached from the root or from nodes nobody retains. */
function searchDepthFirst({ root, nodeCount, edgeCount, arena }: FlowGraph): number {
  const { loops } = arena;
  searchFrom(arena, root, 0);
  if (loops.reachedCount() === nodeCount) return nodeCount;
  // What no edge retains is searched as if the root held it, in the order of ordinals.
  const bits = arena.bytes(Math.ceil(nodeCount / 8));
  inSlices(0, edgeCount, (from, to) => loops.markRetained(from, to, bits.byteOffset));
  for (let at = loops.nextOrphan(0, bits.byteOffset); at < nodeCount; at = loops.nextOrphan(at + 1, bits.byteOffset)) {
    searchFrom(arena, at, 1);
  }
  return loops.reachedCount();
}

function searchFrom({ loops }: Arena, node: number, above: number): void {
  loops.searchFrom(node, above);
  while (loops.search(SLICE));
}
