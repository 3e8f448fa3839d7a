// What holders have, by class.
import { at, bytesOf, PART, typeOf } from './columns';

let groups: u32 = 0;

/** Where a group is in the table, or where it belongs: six words a slot, holder, class, how many, the first one, bytes. */
function groupOf(holder: u32, index: u32, table: usize, mask: u32): usize {
  let hash = (holder * 0x9e3779b1) ^ (index * 0x85ebca6b);
  hash ^= hash >>> 15;
  let slot = table + (hash & mask) * 24;
  while (load<u32>(slot) !== 0 && (load<u32>(slot) !== holder || load<u32>(slot, 4) !== index)) {
    slot = table + (++hash & mask) * 24;
  }
  return slot;
}

/** Counts nodes by holder and class; stops where the table is more than half full, and gives how many are counted. */
function group<T>(
  nodes: usize,
  count: u32,
  immediate: usize,
  holderOf: usize,
  classOf: usize,
  retained: usize,
  table: usize,
  mask: u32,
): u32 {
  for (let i: u32 = 0; i < count; i++) {
    if (groups * 2 > mask) return i;
    const node = at(nodes, i);
    const holder = at(holderOf, at(immediate, node)) & ~PART;
    const index = at(classOf, node);
    const slot = groupOf(holder, index, table, mask);
    if (load<u32>(slot) === 0) {
      groups++;
      store<u32>(slot, holder);
      store<u32>(slot, index, 4);
      store<u32>(slot, node, 12);
    }
    store<u32>(slot, load<u32>(slot, 8) + 1, 8);
    store<f64>(slot, load<f64>(slot, 16) + bytesOf<T>(retained, node), 16);
  }
  return count;
}

export function beginGroups(): void {
  groups = 0;
}

/** Takes over what a smaller table holds. */
export function widenGroups(from: usize, slots: u32, table: usize, mask: u32): void {
  for (let slot = from, end = from + slots * 24; slot < end; slot += 24) {
    if (load<u32>(slot) !== 0) memory.copy(groupOf(load<u32>(slot), load<u32>(slot, 4), table, mask), slot, 24);
  }
}

export function groupWords(
  nodes: usize,
  count: u32,
  immediate: usize,
  holderOf: usize,
  classOf: usize,
  retained: usize,
  table: usize,
  mask: u32,
): u32 {
  return group<u32>(nodes, count, immediate, holderOf, classOf, retained, table, mask);
}

export function groupDoubles(
  nodes: usize,
  count: u32,
  immediate: usize,
  holderOf: usize,
  classOf: usize,
  retained: usize,
  table: usize,
  mask: u32,
): u32 {
  return group<f64>(nodes, count, immediate, holderOf, classOf, retained, table, mask);
}

/** Nodes of a type by where they were written: records of four words, how many, one of them, and what they retain. */
function weigh<T>(
  from: u32,
  to: u32,
  ordinals: usize,
  positions: usize,
  type: u32,
  retained: usize,
  sums: usize,
): void {
  for (let i = from; i < to; i++) {
    const node = at(ordinals, i);
    if (typeOf(node) !== type) continue;
    const sum = sums + ((<usize>at(positions, i)) << 4);
    store<u32>(sum, load<u32>(sum) + 1);
    store<u32>(sum, node, 4);
    store<f64>(sum, load<f64>(sum, 8) + bytesOf<T>(retained, node), 8);
  }
}

export function weighWords(
  from: u32,
  to: u32,
  ordinals: usize,
  positions: usize,
  type: u32,
  retained: usize,
  sums: usize,
): void {
  weigh<u32>(from, to, ordinals, positions, type, retained, sums);
}

export function weighDoubles(
  from: u32,
  to: u32,
  ordinals: usize,
  positions: usize,
  type: u32,
  retained: usize,
  sums: usize,
): void {
  weigh<f64>(from, to, ordinals, positions, type, retained, sums);
}
