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
  readonly immediate: Uint32Array<ArrayBuffer>;
  /** Every node once, each behind its dominator. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** The largest working array, done with: at least eight bytes a node, with anything in it. */
  readonly spare: ArrayBuffer;
}

/**
 * Immediate dominators by the semi-NCA method (Georgiadis, 2005), on preorder numbers 1..n so that "earlier" is "<".
 * Nodes without a retaining edge count as held by the root; what only unreachable cycles hold is dominated by the root.
 * Both are what DevTools does.
 */
export function findDominators(graph: FlowGraph, pool = new Pool(graph.nodeCount + 2)): Dominators {
  const search = searchDepthFirst(graph, pool);
  const entering = collectEntering(graph, search);
  pool.giveBack(search.number);
  const semi = findSemidominators(search, entering, pool);
  climbToDominators(search, semi);
  pool.giveBack(semi);
  return { ...toOrdinals(graph, search, pool), spare: entering.from.buffer };
}

interface Search {
  /** Preorder number to ordinal; [1] is the root. */
  readonly order: Uint32Array<ArrayBuffer>;
  /** Ordinal to preorder number; 0 was not reached. */
  readonly number: Uint32Array<ArrayBuffer>;
  /** Preorder number to the one it was found from. */
  readonly parent: Uint32Array<ArrayBuffer>;
  /** How many edges beside the one it was found by enter a node, by preorder number. */
  readonly extra: Uint32Array<ArrayBuffer>;
  /** How many were reached from the root or from nodes nobody retains. */
  reached: number;
}

function searchDepthFirst(graph: FlowGraph, pool: Pool): Search {
  const search = { order: pool.dirty(), number: pool.zeros(), parent: pool.dirty(), extra: pool.zeros(), reached: 0 };
  const cursor = pool.dirty();
  explore(graph, search, cursor, graph.root, 0);
  if (search.reached < graph.nodeCount) exploreOrphans(graph, search, cursor);
  pool.giveBack(cursor);
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
  /** Where each node's range ends, by preorder number. */
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly from: Uint32Array<ArrayBuffer>;
}

/** The edges into each node by preorder numbers, without the one it was found by: that one is `parent`. */
function collectEntering(graph: FlowGraph, search: Search): Entering {
  const { firstEdge, target } = graph;
  const { order, number, parent, extra, reached } = search;
  let sum = 0;
  for (let at = 1; at <= reached; at++) {
    const count = extra[at]!;
    extra[at] = sum;
    sum += count;
  }
  const from = new Uint32Array(new ArrayBuffer(Math.max(sum * 4, graph.nodeCount * 8)), 0, sum);
  // The entries of `extra` serve as cursors: afterwards each holds the end of its node's range, which starts at the
  // end of the one before.
  for (let at = 1; at <= reached; at++) {
    const node = order[at]!;
    let newestChild = 0;
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) {
      const to = target[edge]!;
      if (to < 0) continue;
      const into = number[to]!;
      // The first edge to a child is the one it was found by (children are numbered in this order): `parent` has it.
      if (into > newestChild && parent[into] === at) newestChild = into;
      else from[extra[into]!++] = at;
    }
  }
  return { ends: extra, from };
}

/** The semidominator of each, by preorder number. They take the place of `ends`, whose entries are used up in this order. */
function findSemidominators(search: Search, entering: Entering, pool: Pool): Uint32Array<ArrayBuffer> {
  const { parent, reached } = search;
  const { ends, from } = entering;
  const label = pool.dirty();
  const ancestor = pool.dirty();
  ancestor.set(parent);
  for (let at = reached; at >= 2; at--) {
    let lowest = parent[at]!;
    for (let i = ends[at - 1]!, end = ends[at]!; i < end; i++) {
      let up = from[i]!;
      if (up < at) {
        if (up < lowest) lowest = up;
        continue;
      }
      // Path splitting: every node on the way learns its grandparent, and the lowest label below it.
      let best = label[up]!;
      let above = ancestor[up]!;
      while (above > at) {
        const labelAbove = label[above]!;
        if (labelAbove < best) best = labelAbove;
        const next = ancestor[above]!;
        if (labelAbove < label[up]!) label[up] = labelAbove;
        ancestor[up] = next;
        up = above;
        above = next;
      }
      if (best < lowest) lowest = best;
    }
    label[at] = lowest;
    ends[at] = lowest;
  }
  pool.giveBack(label, ancestor);
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

function toOrdinals({ nodeCount, root }: FlowGraph, search: Search, pool: Pool): Omit<Dominators, 'spare'> {
  const { order, parent, reached } = search;
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
