// The dominator tree, asked who holds much and many.
import { at, byteAt, firstEdge, label, NAME_BITS, pointedAt, put, target, typeOf } from './columns';

/** The last bits of an ordinal say for nearly all that they are not looked for, from a table that stays in a core's cache. */
const FILTER_MASK: u32 = 0x3fff;

function bytesOf<T>(retained: usize, node: u32): f64 {
  return sizeof<T>() === 8
    ? load<f64>(retained + ((<usize>node) << 3))
    : <f64>load<u32>(retained + ((<usize>node) << 2));
}

/** Nodes that retain so much go to `big`; gives how many. */
function listBig<T>(from: u32, to: u32, retained: usize, least: f64, big: usize, count: u32): u32 {
  for (let node = from; node < to; node++) if (bytesOf<T>(retained, node) >= least) put(big, count++, node);
  return count;
}

export function listBigWords(from: u32, to: u32, retained: usize, least: f64, big: usize, count: u32): u32 {
  return listBig<u32>(from, to, retained, least, big, count);
}

export function listBigDoubles(from: u32, to: u32, retained: usize, least: f64, big: usize, count: u32): u32 {
  return listBig<f64>(from, to, retained, least, big, count);
}

/** How many nodes those that pass the filter dominate. */
export function countChildren(from: u32, to: u32, immediate: usize, filter: usize, counts: usize): void {
  for (let node = from; node < to; node++) {
    const above = at(immediate, node);
    if (byteAt(filter, above & FILTER_MASK) !== 0) put(counts, above, at(counts, above) + 1);
  }
}

/** Set in a node's number where it is a part of that holder. */
const PART: u32 = 0x80000000;

/** Numbers the backing stores that the nodes of a level own like their holders, and lists them; gives how many. */
export function markParts(level: usize, count: u32, holderOf: usize, immediate: usize, types: u32, parts: usize): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const above = at(level, i);
    const number = at(holderOf, above) | PART;
    for (let edge = at(firstEdge, above), end = at(firstEdge, above + 1); edge < end; edge++) {
      const child = <i32>at(target, edge);
      if (child < 0 || ((types >>> typeOf(child)) & 1) === 0) continue;
      if (at(immediate, child) !== above || at(holderOf, child) !== 0) continue;
      put(holderOf, child, number);
      put(parts, found++, child);
    }
  }
  return found;
}

export function markFilter(nodes: usize, count: u32, filter: usize): void {
  for (let i: u32 = 0; i < count; i++) store<u8>(filter + (at(nodes, i) & FILTER_MASK), 1);
}

/** Nodes whose dominator has a number, parts left out, go to `found`; gives how many. */
export function listChildrenOf(
  from: u32,
  to: u32,
  immediate: usize,
  filter: usize,
  holderOf: usize,
  found: usize,
): u32 {
  let count: u32 = 0;
  for (let node = from; node < to; node++) {
    const above = at(immediate, node);
    if (byteAt(filter, above & FILTER_MASK) === 0 || at(holderOf, above) === 0) continue;
    if (at(holderOf, node) < PART && node !== above) put(found, count++, node);
  }
  return count;
}

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

/** The next edge of a type that leads to a node of a type. */
export function nextEdge(from: u32, to: u32, edgeType: u32, nodeType: u32): u32 {
  for (let edge = from; edge < to; edge++) {
    if (at(label, edge) >>> NAME_BITS === edgeType && typeOf(pointedAt(at(target, edge))) === nodeType) return edge;
  }
  return to;
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

function maybe(edge: u32, filter: usize): u32 {
  return byteAt(filter, at(target, edge) & FILTER_MASK);
}

/** The next edge from `from` on whose target passes the filter. Eight at a time: a branch for each costs twice as much. */
export function nextMaybe(from: u32, to: u32, filter: usize): u32 {
  let edge = from;
  for (; edge + 8 <= to; edge += 8) {
    const some =
      maybe(edge, filter) |
      maybe(edge + 1, filter) |
      maybe(edge + 2, filter) |
      maybe(edge + 3, filter) |
      maybe(edge + 4, filter) |
      maybe(edge + 5, filter) |
      maybe(edge + 6, filter) |
      maybe(edge + 7, filter);
    if (some !== 0) break;
  }
  while (edge < to && maybe(edge, filter) === 0) edge++;
  return edge;
}

/** For each context, one closure of it (plus one). */
export function closuresByContext(from: u32, to: u32, closure: u32, wanted: u32, closures: usize): void {
  for (let node = from; node < to; node++) {
    if (typeOf(node) !== closure) continue;
    for (let edge = at(firstEdge, node), end = at(firstEdge, node + 1); edge < end; edge++) {
      if (at(label, edge) === wanted) put(closures, pointedAt(at(target, edge)), node + 1);
    }
  }
}
