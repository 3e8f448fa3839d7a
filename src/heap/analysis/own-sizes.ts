import { inSlices, inTurns } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import { pointedAt } from './essential.js';
import type { Facts } from './facts.js';
import type { Pool } from './pool.js';

const UINT32_MAX = 2 ** 32 - 1;

/**
 * Books the bytes of V8's backing stores (arrays, hidden nodes) to the one object that uses them, as DevTools does: a
 * Map's size is then the Map with its table. What several share keeps its bytes.
 */
export function bookBackingStores(file: HeapFile, facts: Facts, pool: Pool): void {
  if (!hasUserRoots(file, facts)) return; // a snapshot with V8's internals exposed shows memory as it is
  const { nodeCount, arena } = file;
  const { loops } = arena;
  const owners = pool.dirty();
  const pending = pool.large(2 * (nodeCount + 2));
  const [at, stack] = [owners.byteOffset, pending.byteOffset];
  const { hidden, array, native, synthetic } = facts.node;
  const stores = typeBits(hidden, array, native);
  inSlices(0, nodeCount, (from, to) => loops.markStores(from, to, at, stores, native, facts.text.externalString));
  inSlices(0, nodeCount, (from, to) => loops.spreadOwners(from, to, at, stores, facts.edge.weak, stack));
  inTurns(
    nodeCount,
    (from, to) => loops.moveSizes(from, to, at, synthetic),
    node => moveWide(file, owners[node]!, node),
  );
  pool.cutUnused(pending);
  pool.giveBack(owners);
}

function hasUserRoots({ root, firstEdge, target, kind }: HeapFile, facts: Facts): boolean {
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    if ((kind[pointedAt(target[edge]!)]! & TYPE_BITS) !== facts.node.synthetic) return true;
  }
  return false;
}

/** A bit for each of these types that the file has. */
export function typeBits(...types: readonly number[]): number {
  return types.reduce((bits, type) => (type < 0 ? bits : bits | (1 << type)), 0);
}

/** Moves what does not fit its column; gives the next node. */
function moveWide(file: HeapFile, owner: number, node: number): number {
  const { selfSize, wideSizes } = file;
  const size = sizeOf(file, owner) + sizeOf(file, node);
  if (size >= UINT32_MAX) wideSizes.set(owner, size);
  selfSize[owner] = Math.min(size, UINT32_MAX);
  selfSize[node] = 0;
  wideSizes.delete(node);
  return node + 1;
}

/** Self size in bytes, also where it does not fit the column. */
export function sizeOf({ selfSize, wideSizes }: HeapFile, node: number): number {
  const size = selfSize[node]!;
  return size === UINT32_MAX ? (wideSizes.get(node) ?? size) : size;
}
