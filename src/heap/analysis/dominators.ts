import { Pool } from './pool.js';

/** A graph as columns; a negative target is an edge that does not retain and is passed over. */
export interface FlowGraph {
  readonly nodeCount: number;
  readonly root: number;
  readonly firstEdge: Uint32Array;
  readonly target: Int32Array;
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
export function findDominators(graph: FlowGraph, pool = new Pool(graph.nodeCount + 2)): Dominators {
  const large = pool.large(graph.target.length + 2 * (graph.nodeCount + 2));
  const search = searchDepthFirst(graph, pool, large);
  const entering = collectEntering(graph, search, large);
  const semi = findSemidominators(search, entering);
  climbToDominators(search, semi);
  pool.giveBack(semi);
  pool.cut(large, Math.max(2 * (graph.nodeCount + 2), entering.used));
  return toOrdinals(graph, search, pool);
}

interface Search {
  /** Ordinal to preorder number; 0 was not reached. */
  readonly number: Uint32Array;
  /** Preorder number to the one it was found from. */
  readonly parent: Uint32Array;
  /** How many edges beside the one it was found by enter a node, by preorder number. */
  readonly extra: Uint32Array;
  /** Preorder number to ordinal, as long as the search goes on; [1] is the root. */
  readonly order: Uint32Array;
  /** How many were reached from the root or from nodes nobody retains. */
  reached: number;
}

function searchDepthFirst(graph: FlowGraph, pool: Pool, large: Uint32Array): Search {
  const order = large.subarray(0, graph.nodeCount + 1);
  const stack = large.subarray(graph.nodeCount + 1);
  const search = { number: pool.zeros(), parent: pool.dirty(), extra: pool.zeros(), order, reached: 0 };
  explore(graph, search, stack, graph.root, 0);
  if (search.reached < graph.nodeCount) exploreOrphans(graph, search, stack);
  return search;
}

function explore(graph: FlowGraph, search: Search, cursor: Uint32Array, start: number, startParent: number): void {
  const { firstEdge, target } = graph;
  const { order, number, parent, extra } = search;
  let count = search.reached;
  let current = ++count;
  let node = start;
  let depth = 0;
  let edge = firstEdge[node]!;
  let end = firstEdge[node + 1]!;
  number[node] = current;
  order[current] = node;
  parent[current] = startParent;
  for (;;) {
    let child = -1;
    while (edge < end) {
      const to = target[edge++]!;
      if (to < 0) continue;
      const known = number[to]!;
      if (known === 0) {
        child = to;
        break;
      }
      extra[known]!++;
    }
    if (child >= 0) {
      cursor[depth++] = edge;
      parent[++count] = current;
      current = count;
      node = child;
      number[node] = current;
      order[current] = node;
      edge = firstEdge[node]!;
    } else if (depth > 0) {
      edge = cursor[--depth]!;
      current = parent[current]!;
      node = order[current]!;
    } else break;
    end = firstEdge[node + 1]!;
  }
  search.reached = count;
}

/** What no edge retains is explored as if the root held it, in the order of ordinals. */
function exploreOrphans(graph: FlowGraph, search: Search, cursor: Uint32Array): void {
  const { nodeCount, target } = graph;
  const retained = new Uint8Array(Math.ceil(nodeCount / 8)); // a bit a node
  for (let edge = 0; edge < target.length; edge++) {
    const to = target[edge]!;
    if (to >= 0) retained[to >>> 3]! |= 1 << (to & 7);
  }
  for (let node = 0; node < nodeCount; node++) {
    if (search.number[node] !== 0 || (retained[node >>> 3]! & (1 << (node & 7))) !== 0) continue;
    explore(graph, search, cursor, node, 1);
  }
}

interface Entering {
  /** Where each node's range of `from` ends, by preorder number; it starts where that of the one before ends. */
  readonly ends: Uint32Array;
  readonly from: Uint32Array;
  /** The label and the ancestor of number v go to from[2v + shift] and behind: never where an edge is yet to be read. */
  readonly shift: number;
  /** Words of `from` that are written, all in all. */
  readonly used: number;
}

/** The edges into each node by preorder numbers, without the one it was found by: that one is `parent`. */
function collectEntering(graph: FlowGraph, search: Search, from: Uint32Array): Entering {
  const { nodeCount, firstEdge, target } = graph;
  const { number, parent, extra, reached } = search;
  let sum = 0;
  let shift = -2;
  for (let at = 1; at <= reached; at++) {
    const count = extra[at]!;
    if (sum - 2 * at > shift) shift = sum - 2 * at;
    extra[at] = sum;
    sum += count;
  }
  // The entries of `extra` serve as cursors: afterwards each holds the end of its node's range.
  for (let node = 0, edge = 0; node < nodeCount; node++) {
    const end = firstEdge[node + 1]!;
    const at = number[node]!;
    if (at === 0) {
      edge = end;
      continue;
    }
    let newestChild = 0;
    for (; edge < end; edge++) {
      const to = target[edge]!;
      if (to < 0) continue;
      const into = number[to]!;
      // The first edge to a child is the one it was found by (children are numbered in this order): `parent` has it.
      if (into > newestChild && parent[into] === at) newestChild = into;
      else from[extra[into]!++] = at;
    }
  }
  return { ends: extra, from, shift, used: Math.max(sum, 2 * reached + shift + 2) };
}

/** The semidominator of each, by preorder number. They take the place of `ends`, whose entries are used up in this order. */
function findSemidominators({ parent, reached }: Search, { ends, from, shift }: Entering): Uint32Array {
  for (let at = reached; at >= 2; at--) {
    let lowest = parent[at]!;
    for (let i = ends[at - 1]!, end = ends[at]!; i < end; i++) {
      const up = from[i]!;
      if (up <= at) {
        if (up < lowest) lowest = up;
        continue;
      }
      // Path splitting: every node on the way learns its grandparent, and the lowest label below it.
      let pair = 2 * up + shift;
      let best = from[pair]!;
      let above = from[pair + 1]!;
      while (above > at) {
        const pairAbove = 2 * above + shift;
        const labelAbove = from[pairAbove]!;
        if (labelAbove < best) best = labelAbove;
        const next = from[pairAbove + 1]!;
        if (labelAbove < from[pair]!) from[pair] = labelAbove;
        from[pair + 1] = next;
        pair = pairAbove;
        above = next;
      }
      if (best < lowest) lowest = best;
    }
    from[2 * at + shift] = lowest;
    from[2 * at + shift + 1] = parent[at]!;
    ends[at] = lowest;
  }
  return ends;
}

/** Turns `parent` into immediate dominators, still by preorder number: the nearest one at or above the semidominator. */
function climbToDominators({ parent, reached }: Search, semi: Uint32Array): void {
  for (let at = 2; at <= reached; at++) {
    const limit = semi[at]!;
    let dominator = parent[at]!;
    while (dominator > limit) dominator = parent[dominator]!;
    parent[at] = dominator;
  }
}

function toOrdinals({ nodeCount, root }: FlowGraph, { number, parent, reached }: Search, pool: Pool): Dominators {
  const order = pool.dirty();
  for (let node = 0; node < nodeCount; node++) order[number[node]!] = node;
  pool.giveBack(number);
  const immediate = pool.dirty().fill(NOT_REACHED);
  immediate[root] = root;
  for (let at = 2; at <= reached; at++) immediate[order[at]!] = order[parent[at]!]!;
  if (reached < nodeCount) appendUnreached(nodeCount, root, immediate, order, reached);
  pool.giveBack(parent);
  return { immediate, order: order.subarray(1, nodeCount + 1) };
}

const NOT_REACHED = 0xffffffff;

function appendUnreached(
  nodeCount: number,
  root: number,
  immediate: Uint32Array,
  order: Uint32Array,
  reached: number,
): void {
  let at = reached;
  for (let node = 0; node < nodeCount; node++) {
    if (immediate[node] !== NOT_REACHED) continue;
    immediate[node] = root;
    order[++at] = node;
  }
}
