import { typeBits } from '../analysis/own-sizes.js';
import { FILTER_MASK, inSlices } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import { type ChildGroup, Groups } from './groups.js';
import type { HeapView } from './view.js';

/** How many nodes each of some dominates, by ordinal. */
export function countChildren({ heap, nodeCount }: HeapView, some: Uint32Array): Uint32Array {
  const { file, immediate, scratch } = heap;
  const counts = scratch.zeros();
  const columns = [immediate, filterOf(file, some), counts].map(({ byteOffset }) => byteOffset);
  inSlices(0, nodeCount, (from, to) => file.arena.loops.countChildren(from, to, ...columns));
  return counts;
}

/** By the last bits of ordinals: a table that stays in a core's cache passes over most nodes. */
function filterOf({ arena }: HeapFile, nodes: Uint32Array): Uint8Array {
  const filter = arena.bytes(FILTER_MASK + 1);
  arena.loops.markFilter(nodes.byteOffset, nodes.length, filter.byteOffset);
  return filter;
}

/** Dominated children of each holder by class, parts of the holder looked through; the largest groups first. */
export function groupChildren(
  view: HeapView,
  holders: ReadonlySet<number>,
  counts?: (node: number) => boolean,
): Map<number, ChildGroup[]> {
  const { file, immediate, scratch } = view.heap;
  const { loops } = file.arena;
  const list = [...holders];
  // Number of the holder (plus one) that a node is, or is a part of: most nodes are neither, and are passed over quickly.
  const holderOf = scratch.zeros();
  const found = scratch.dirty();
  const filter = filterOf(file, found.subarray(0, numberHolders(view, list, holderOf, found)));
  const columns = [immediate, filter, holderOf, found].map(({ byteOffset }) => byteOffset);
  const groups = new Groups(view, holderOf);
  inSlices(0, view.nodeCount, (from, to) => {
    const listed = loops.listChildrenOf(from, to, ...columns);
    groups.count(found, counts ? keep(found, listed, counts) : listed);
  });
  scratch.giveBack(holderOf, found);
  return groups.of(list);
}

/** Keeps those of the first `count` nodes that a test passes; gives how many. */
function keep(nodes: Uint32Array, count: number, test: (node: number) => boolean): number {
  let kept = 0;
  for (let i = 0; i < count; i++) if (test(nodes[i]!)) nodes[kept++] = nodes[i]!;
  return kept;
}

/** Numbers holders and their backing stores, two levels deep (a Map's table; an object's properties), and lists all. */
function numberHolders(
  { heap }: HeapView,
  holders: readonly number[],
  holderOf: Uint32Array,
  all: Uint32Array,
): number {
  const { file, facts, immediate } = heap;
  all.set(holders);
  holders.forEach((node, i) => {
    holderOf[node] = i + 1;
  });
  const types = typeBits(facts.node.array, facts.node.hidden, facts.node['object shape']);
  const columns = [holderOf.byteOffset, immediate.byteOffset, types];
  let [from, to] = [0, holders.length];
  for (let depth = 0; depth < 2; depth++) {
    const found = file.arena.loops.markParts(all.byteOffset + from * 4, to - from, ...columns, all.byteOffset + to * 4);
    [from, to] = [to, to + found];
  }
  return to;
}
