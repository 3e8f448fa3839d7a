import type { HeapFile } from '../heap-file.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import type { Facts } from './facts.js';
import type { Pool } from './pool.js';

/** The plain objects of a heap and which of the distinct shapes (property names in order) each has. */
export interface Shapes {
  readonly objects: Uint32Array;
  readonly shapeOf: Uint32Array;
  /** One object of each shape, and how many have it. */
  readonly sample: readonly number[];
  readonly counts: readonly number[];
}

const NONE = 0xffffffff;

/** Groups plain objects by their properties without building a text for each: names are numbers in the file. */
export function findShapes(file: HeapFile, facts: Facts, pool: Pool): Shapes {
  const objects = plainObjects(file, facts, pool.dirty());
  const shapeOf = pool.dirty().subarray(0, objects.length);
  const sample: number[] = [];
  const counts: number[] = [];
  let slots: Uint32Array = new Uint32Array(4096).fill(NONE);
  const hashes: number[] = [];
  for (let i = 0; i < objects.length; i++) {
    const node = objects[i]!;
    const hash = hashOf(file, facts.edge.property, node);
    let slot = hash & (slots.length - 1);
    while (slots[slot] !== NONE && !isSame(file, facts.edge.property, sample[slots[slot]!]!, node)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    if (slots[slot] === NONE) {
      slots[slot] = sample.push(node) - 1;
      counts.push(0);
      hashes.push(hash);
    }
    shapeOf[i] = slots[slot]!;
    counts[shapeOf[i]!]!++;
    if (sample.length * 2 > slots.length) slots = rehash(hashes, slots.length * 2);
  }
  return { objects, shapeOf, sample, counts };
}

function plainObjects({ nodeCount, kind, nameIndex }: HeapFile, facts: Facts, found: Uint32Array): Uint32Array {
  const type = facts.node.object;
  const name = facts.text.object;
  let count = 0;
  for (let node = 0; node < nodeCount; node++) {
    if (nameIndex[node] === name && (kind[node]! & TYPE_BITS) === type) found[count++] = node;
  }
  return found.subarray(0, count);
}

function hashOf({ firstEdge, label }: HeapFile, property: number, node: number): number {
  let hash = 0x811c9dc5;
  for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
    const word = label[edge]!;
    if (word >>> NAME_BITS === property) hash = Math.imul(hash ^ word, 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

function isSame({ firstEdge, label }: HeapFile, property: number, a: number, b: number): boolean {
  let left = firstEdge[a]!;
  let right = firstEdge[b]!;
  const leftEnd = firstEdge[a + 1]!;
  const rightEnd = firstEdge[b + 1]!;
  for (;;) {
    while (left < leftEnd && label[left]! >>> NAME_BITS !== property) left++;
    while (right < rightEnd && label[right]! >>> NAME_BITS !== property) right++;
    if (left === leftEnd || right === rightEnd) return left === leftEnd && right === rightEnd;
    if (label[left++] !== label[right++]) return false;
  }
}

function rehash(hashes: readonly number[], size: number): Uint32Array {
  const slots = new Uint32Array(size).fill(NONE);
  hashes.forEach((hash, shape) => {
    let slot = hash & (size - 1);
    while (slots[slot] !== NONE) slot = (slot + 1) & (size - 1);
    slots[slot] = shape;
  });
  return slots;
}

/** Indexes of the names of an object's properties, in the file's order. */
export function propertyNames({ firstEdge, label }: HeapFile, facts: Facts, node: number): number[] {
  const names: number[] = [];
  for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
    const word = label[edge]!;
    if (word >>> NAME_BITS === facts.edge.property) names.push(word & NAME_MASK);
  }
  return names;
}
