import type { RetainedSizes } from '../analysis/retained.js';
import type { HeapView } from './view.js';

/** What is kept of an earlier heap to compare a later one with; 16 bytes a node and a table of ids, in arrays of its own. */
export interface Baseline {
  readonly totalBytes: number;
  readonly nodeCount: number;
  readonly find: (id: number) => number;
  readonly id: Uint32Array;
  readonly selfSize: Float32Array;
  readonly retained: RetainedSizes;
  readonly classOf: Uint32Array;
  readonly classes: readonly string[];
}

/** Takes from a heap what a later comparison needs; the heap itself may be dropped afterwards. */
export function baselineOf(view: HeapView): Baseline {
  const { file, retained, classes } = view.heap;
  const id = file.id.slice();
  return {
    totalBytes: view.totalBytes,
    nodeCount: file.nodeCount,
    find: finder(id),
    id,
    selfSize: selfSizes(view),
    retained: retained.slice(0, file.nodeCount),
    classOf: classes.of.slice(0, file.nodeCount),
    classes: classes.list.map(({ name }) => name),
  };
}

/**
 * The same heap as it was when V8 gave out `lastOldId`, as far as it is still there: V8 numbers objects in the order in
 * which it sees them, so those with higher ids came later. What went in between nobody knows.
 */
export function baselineBefore(view: HeapView, lastOldId: number): Baseline {
  const { file, retained, classes } = view.heap;
  const isNew = (node: number) => file.id[node]! > lastOldId;
  const added = newBytesBelow(view, isNew);
  const find = finder(file.id);
  return {
    totalBytes: view.totalBytes - added[file.root]!,
    nodeCount: file.nodeCount,
    find: id => (id > lastOldId ? -1 : find(id)),
    id: file.id,
    // What is new was not there: its size must not count as gone either.
    selfSize: selfSizes(view).map((bytes, node) => (isNew(node) ? 0 : bytes)),
    retained: retained.slice(0, file.nodeCount).map((bytes, node) => bytes - added[node]!),
    classOf: classes.of.slice(0, file.nodeCount),
    classes: classes.list.map(({ name }) => name),
  };
}

/** Of what each node retains, the bytes in new objects: sums go up the dominator tree from its leaves. */
function newBytesBelow(view: HeapView, isNew: (node: number) => boolean): Float64Array {
  const { immediate } = view.heap;
  const { nodeCount } = view;
  const waitsFor = new Uint32Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) if (immediate[node] !== node) waitsFor[immediate[node]!]!++;
  const bytes = new Float64Array(nodeCount);
  for (let leaf = 0; leaf < nodeCount; leaf++) {
    if (waitsFor[leaf] !== 0) continue;
    for (let node = leaf; ; ) {
      if (isNew(node)) bytes[node]! += view.selfBytes(node);
      const above = immediate[node]!;
      waitsFor[node] = DONE;
      if (above === node) break;
      bytes[above]! += bytes[node]!;
      if (--waitsFor[above]! !== 0) break;
      node = above;
    }
  }
  return bytes;
}

const DONE = 2 ** 32 - 1;

function selfSizes(view: HeapView): Float32Array {
  const sizes = new Float32Array(view.nodeCount);
  for (let node = 0; node < sizes.length; node++) sizes[node] = view.selfBytes(node);
  return sizes;
}

/** Ordinal of an object id, or -1. Open addressing: a Map of 17 million entries is more than JavaScript allows. */
export function finder(ids: Uint32Array): (id: number) => number {
  const bits = Math.max(4, 33 - Math.clz32(ids.length));
  const slots = new Uint32Array(2 ** bits);
  const mask = slots.length - 1;
  const slotOf = (id: number) => (Math.imul(id, 0x9e3779b1) >>> 0) & mask;
  for (let node = 0; node < ids.length; node++) {
    let slot = slotOf(ids[node]!);
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = node + 1;
  }
  return id => {
    for (let slot = slotOf(id); slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (ids[slots[slot]! - 1] === id) return slots[slot]! - 1;
    }
    return -1;
  };
}
