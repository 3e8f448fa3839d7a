// The dominator tree, asked who holds much and many.
import { at, byteAt, bytesOf, FILTER_MASK, firstEdge, PART, put, target, typeOf } from './columns';

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
