import { at, byteAt, firstEdge, kind, label, NAME_BITS, nameIndex, put, typeOf } from './columns';

const NONE: u32 = 0xffffffff;
const DETACHED: u32 = 2 << 5;
const STATE_BITS: u32 = 3 << 5;

/**
 * Classes of some nodes, as far as they are known: by type, or by text where the type is one that has names (`named`);
 * tables hold the class plus one. Stops in front of an unknown one, and gives where.
 */
export function classify(
  from: u32,
  to: u32,
  classOf: usize,
  byType: usize,
  byText: usize,
  named: u32,
  native: u32,
): u32 {
  for (let node = from; node < to; node++) {
    const type = typeOf(node);
    let known: u32;
    if (((named >>> type) & 1) === 0) known = at(byType, type);
    else if (type === native && (byteAt(kind, node) & STATE_BITS) === DETACHED) known = 0;
    else known = at(byText, at(nameIndex, node));
    if (known === 0) return node;
    put(classOf, node, known - 1);
  }
  return to;
}

/** The next node in one of some states of attachment (a bit each). */
export function nextInState(from: u32, to: u32, states: u32): u32 {
  for (let node = from; node < to; node++) {
    if (((states >>> ((byteAt(kind, node) & STATE_BITS) >>> 5)) & 1) !== 0) return node;
  }
  return to;
}

/** Nodes of one type and name; gives how many. */
export function nodesNamed(from: u32, to: u32, type: u32, name: u32, found: usize, count: u32): u32 {
  for (let node = from; node < to; node++) {
    if (at(nameIndex, node) === name && typeOf(node) === type) put(found, count++, node);
  }
  return count;
}

function hashOf(property: u32, node: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let edge = at(firstEdge, node), end = at(firstEdge, node + 1); edge < end; edge++) {
    const word = at(label, edge);
    if (word >>> NAME_BITS === property) hash = (hash ^ word) * 0x01000193;
  }
  return hash ^ (hash >>> 15);
}

function isSameShape(property: u32, a: u32, b: u32): bool {
  let left = at(firstEdge, a);
  let right = at(firstEdge, b);
  const leftEnd = at(firstEdge, a + 1);
  const rightEnd = at(firstEdge, b + 1);
  do {
    while (left < leftEnd && at(label, left) >>> NAME_BITS !== property) left++;
    while (right < rightEnd && at(label, right) >>> NAME_BITS !== property) right++;
    if (left === leftEnd || right === rightEnd) return left === leftEnd && right === rightEnd;
  } while (at(label, left++) === at(label, right++));
  return false;
}

let shapes: u32 = 0;
let mask: u32 = 0;

export function beginShapes(slots: usize, size: u32): void {
  shapes = 0;
  mask = size - 1;
  memory.fill(slots, 0xff, (<usize>size) << 2);
}

/** Numbers the shapes of some objects; `slots` has room for twice as many as there are objects. Gives how many there are. */
export function findShapes(
  from: u32,
  to: u32,
  property: u32,
  objects: usize,
  shapeOf: usize,
  samples: usize,
  counts: usize,
  slots: usize,
): u32 {
  for (let i = from; i < to; i++) {
    const node = at(objects, i);
    let slot = hashOf(property, node) & mask;
    let shape = at(slots, slot);
    while (shape !== NONE && !isSameShape(property, at(samples, shape), node)) {
      slot = (slot + 1) & mask;
      shape = at(slots, slot);
    }
    if (shape === NONE) {
      shape = shapes++;
      put(slots, slot, shape);
      put(samples, shape, node);
      put(counts, shape, 0);
    }
    put(shapeOf, i, shape);
    put(counts, shape, at(counts, shape) + 1);
    if (shapes * 2 > mask) widen(property, samples, slots);
  }
  return shapes;
}

function widen(property: u32, samples: usize, slots: usize): void {
  mask = mask * 2 + 1;
  memory.fill(slots, 0xff, (<usize>mask + 1) << 2);
  for (let shape: u32 = 0; shape < shapes; shape++) {
    let slot = hashOf(property, at(samples, shape)) & mask;
    while (at(slots, slot) !== NONE) slot = (slot + 1) & mask;
    put(slots, slot, shape);
  }
}

/** Gives each object the class of its shape. */
export function classifyShapes(count: u32, objects: usize, shapeOf: usize, classOfShape: usize, classOf: usize): void {
  for (let i: u32 = 0; i < count; i++) put(classOf, at(objects, i), at(classOfShape, at(shapeOf, i)));
}

/**
 * Splits classes by where constructors were written: `last` holds for each position the class that it split last, plus one,
 * and the class that this became. Stops in front of a record of another one, and gives where.
 */
export function splitByPosition(
  from: u32,
  to: u32,
  ordinals: usize,
  positions: usize,
  objectType: u32,
  last: usize,
  classOf: usize,
): u32 {
  for (let i = from; i < to; i++) {
    const node = at(ordinals, i);
    if (typeOf(node) !== objectType) continue;
    const place = last + ((<usize>at(positions, i)) << 3);
    if (load<u32>(place) !== at(classOf, node) + 1) return i;
    put(classOf, node, load<u32>(place, 4));
  }
  return to;
}
