import type { HeapFile } from '../heap-file.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import { DETACHED_SHIFT, TYPE_BITS } from '../parse/fast-nodes.js';
import { pointedAt } from './essential.js';
import type { Facts } from './facts.js';

const ATTACHED = 1;
const DETACHED = 2;
const STATE_BITS = 3 << DETACHED_SHIFT;

/**
 * Spreads what embedder objects know about themselves (attached, detached) to the native objects below them: what an
 * attached one reaches is attached, the rest below a detached one is detached. Never through JavaScript objects.
 */
export function propagateDetachedness(file: HeapFile, facts: Facts): void {
  if (file.layout.node.detachedness < 0 || !hasStates(file)) return;
  const attached: number[] = [];
  const detached: number[] = [];
  const seen = new Uint8Array(file.nodeCount);
  const visit = (node: number, state: number) => {
    if (seen[node] === 1) return;
    seen[node] = 1;
    if ((file.kind[node]! & TYPE_BITS) !== facts.node.native) return;
    file.kind[node] = (file.kind[node]! & ~STATE_BITS) | (state << DETACHED_SHIFT);
    if (state === ATTACHED) attached.push(node);
    else if (state === DETACHED) detached.push(node);
  };
  for (let node = 0; node < file.nodeCount; node++) {
    const state = (file.kind[node]! & STATE_BITS) >> DETACHED_SHIFT;
    if (state !== 0) visit(node, state);
  }
  spreadFrom(file, facts, attached, node => visit(node, ATTACHED));
  spreadFrom(file, facts, detached, node => visit(node, DETACHED));
}

/** Node's own objects never know; those of Electron do. */
function hasStates({ nodeCount, arena }: HeapFile): boolean {
  return arena.loops.nextInState(0, nodeCount, ~1) < nodeCount;
}

function spreadFrom(file: HeapFile, facts: Facts, pending: number[], visit: (node: number) => void): void {
  const { firstEdge, label, target } = file;
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
      const type = label[edge]! >>> NAME_BITS;
      if (type !== facts.edge.hidden && type !== facts.edge.weak) visit(pointedAt(target[edge]!));
    }
  }
}

/** Native objects that the embedder has let go of but the heap still holds. */
export function* detachedNodes({ nodeCount, kind, arena }: HeapFile, facts: Facts): Generator<number> {
  const next = (from: number) => arena.loops.nextInState(from, nodeCount, 1 << DETACHED);
  for (let node = next(0); node < nodeCount; node = next(node + 1)) {
    if ((kind[node]! & TYPE_BITS) === facts.node.native) yield node;
  }
}
