// The dominator tree, asked who holds much and many.
import { at, byteAt, firstEdge, label, pointedAt, put, target, typeOf } from './columns';

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

/** Nodes whose dominator has a number in `holderOf` go to `found`; gives how many. */
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
    if (byteAt(filter, above & FILTER_MASK) !== 0 && at(holderOf, above) !== 0) put(found, count++, node);
  }
  return count;
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
