import type { HeapView } from './view.js';

/** What is kept of an earlier heap to compare a later one with; 24 bytes a node and a table of ids. */
export interface Baseline {
  readonly totalBytes: number;
  readonly nodeCount: number;
  readonly find: (id: number) => number;
  readonly id: Uint32Array;
  readonly selfSize: Float32Array;
  readonly retained: Float64Array;
  /** Directly dominated objects of each. */
  readonly children: Uint32Array;
  readonly classOf: Uint32Array;
  readonly classes: readonly string[];
}

/** Takes from a heap what a later comparison needs; the heap itself may be dropped afterwards. */
export function baselineOf(view: HeapView): Baseline {
  const { file, retained, immediate, classes } = view.heap;
  const children = new Uint32Array(file.nodeCount);
  const selfSize = new Float32Array(file.nodeCount);
  for (let node = 0; node < file.nodeCount; node++) {
    children[immediate[node]!]!++;
    selfSize[node] = view.selfBytes(node);
  }
  return {
    totalBytes: view.totalBytes,
    nodeCount: file.nodeCount,
    find: finder(file.id),
    id: file.id,
    selfSize,
    retained,
    children,
    classOf: classes.of,
    classes: classes.list.map(({ name }) => name),
  };
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
