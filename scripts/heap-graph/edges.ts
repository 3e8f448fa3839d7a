// The edges, searched from one to the next.
import { at, byteAt, FILTER_MASK, firstEdge, label, NAME_BITS, pointedAt, put, target, typeOf } from './columns';

/** The next edge of a type that leads to a node of a type. */
export function nextEdge(from: u32, to: u32, edgeType: u32, nodeType: u32): u32 {
  for (let edge = from; edge < to; edge++) {
    if (at(label, edge) >>> NAME_BITS === edgeType && typeOf(pointedAt(at(target, edge))) === nodeType) return edge;
  }
  return to;
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
