import type { HeapFile } from '../heap-file.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import { pointedAt } from './essential.js';
import type { Facts } from './facts.js';
import type { Pool } from './pool.js';
import { OrdinalStack } from './stack.js';

const UNVISITED = 0xffffffff;
const SHARED = 0xfffffffe;
const UINT32_MAX = 2 ** 32 - 1;

/**
 * Books the bytes of V8's backing stores (arrays, hidden nodes) to the one object that uses them, as DevTools does: a
 * Map's size is then the Map with its table. What several share keeps its bytes.
 */
export function bookBackingStores(file: HeapFile, facts: Facts, pool: Pool): void {
  if (!hasUserRoots(file, facts)) return; // a snapshot with V8's internals exposed shows memory as it is
  const owners = pool.dirty();
  const stores = storeTypes(facts);
  markStores(file, facts, owners, stores);
  const pending = new OrdinalStack();
  for (let node = 0; node < file.nodeCount; node++) {
    if (owners[node] !== node) continue;
    spread(file, facts, owners, stores, node, pending);
    while (pending.length > 0) spread(file, facts, owners, stores, pending.pop(), pending);
  }
  moveSizes(file, facts, owners);
  pool.giveBack(owners);
}

function hasUserRoots({ root, firstEdge, target, kind }: HeapFile, facts: Facts): boolean {
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    if ((kind[pointedAt(target[edge]!)]! & TYPE_BITS) !== facts.node.synthetic) return true;
  }
  return false;
}

/** 1 for types of which some objects are backing stores. */
function storeTypes({ node }: Facts): Uint8Array {
  const types = new Uint8Array(TYPE_BITS + 1);
  for (const type of [node.hidden, node.array, node.native]) if (type >= 0) types[type] = 1;
  return types;
}

/** A node that is no store belongs to itself. */
function markStores(
  { nodeCount, kind, nameIndex }: HeapFile,
  facts: Facts,
  owners: Uint32Array,
  stores: Uint8Array,
): void {
  const { native } = facts.node;
  for (let node = 0; node < nodeCount; node++) {
    const type = kind[node]! & TYPE_BITS;
    const is = stores[type] === 1 && (type !== native || nameIndex[node] === facts.text.externalString);
    owners[node] = is ? UNVISITED : node;
  }
}

function spread(
  { firstEdge, target, label, kind }: HeapFile,
  facts: Facts,
  owners: Uint32Array,
  stores: Uint8Array,
  node: number,
  pending: OrdinalStack,
): void {
  const weak = facts.edge.weak;
  const owner = owners[node]!;
  for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) {
    const to = target[edge]!;
    const child = to < 0 ? ~to : to;
    if (stores[kind[child]! & TYPE_BITS] === 0) continue;
    const known = owners[child]!;
    if (known === child || known === owner || known === SHARED || label[edge]! >>> NAME_BITS === weak) continue;
    owners[child] = known === UNVISITED ? owner : SHARED;
    pending.push(child); // at most twice: when it gets an owner, and when it turns out to be shared
  }
}

function moveSizes(file: HeapFile, facts: Facts, owners: Uint32Array): void {
  const { nodeCount, kind, root, selfSize, wideSizes } = file;
  for (let node = 0; node < nodeCount; node++) {
    const owner = owners[node]!;
    if (owner === node || owner >= SHARED || owner === root) continue;
    if ((kind[owner]! & TYPE_BITS) === facts.node.synthetic) continue;
    const size = sizeOf(file, owner) + sizeOf(file, node);
    if (size >= UINT32_MAX) wideSizes.set(owner, size);
    selfSize[owner] = Math.min(size, UINT32_MAX);
    selfSize[node] = 0;
    if (wideSizes.size > 0) wideSizes.delete(node);
  }
}

/** Self size in bytes, also where it does not fit the column. */
export function sizeOf({ selfSize, wideSizes }: HeapFile, node: number): number {
  const size = selfSize[node]!;
  return size === UINT32_MAX ? (wideSizes.get(node) ?? size) : size;
}
