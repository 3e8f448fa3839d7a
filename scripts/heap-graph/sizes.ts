import {
  at,
  byteAt,
  firstEdge,
  kind,
  label,
  NAME_BITS,
  nameIndex,
  pointedAt,
  put,
  root,
  selfSize,
  target,
  typeOf,
} from './columns';

/** Bytes of which the columns hold 2^32 - 1 are known to JavaScript only. */
const WIDE: u32 = 0xffffffff;
const UNVISITED: u32 = 0xffffffff;
const SHARED: u32 = 0xfffffffe;

function isOneOf(types: u32, type: u32): bool {
  return ((types >>> type) & 1) !== 0;
}

/** A node that is no store belongs to itself; of the native ones only texts outside the heap are stores. */
export function markStores(from: u32, to: u32, owners: usize, types: u32, native: u32, externalText: u32): void {
  for (let node = from; node < to; node++) {
    const type = typeOf(node);
    const isStore = isOneOf(types, type) && (type !== native || at(nameIndex, node) === externalText);
    put(owners, node, isStore ? UNVISITED : node);
  }
}

/** Gives stores to the one object that uses them, from some nodes down; `pending` is a stack. */
export function spreadOwners(from: u32, to: u32, owners: usize, types: u32, weak: u32, pending: usize): void {
  for (let start = from; start < to; start++) {
    if (at(owners, start) !== start) continue;
    let depth: u32 = 0;
    for (let node = start; ; node = at(pending, --depth)) {
      const owner = at(owners, node);
      for (let edge = at(firstEdge, node), end = at(firstEdge, node + 1); edge < end; edge++) {
        const child = pointedAt(at(target, edge));
        if (!isOneOf(types, typeOf(child))) continue;
        const known = at(owners, child);
        if (known === child || known === owner || known === SHARED || at(label, edge) >>> NAME_BITS === weak) continue;
        put(owners, child, known === UNVISITED ? owner : SHARED);
        put(pending, depth++, child); // at most twice: when it gets an owner, and when it turns out to be shared
      }
      if (depth === 0) break;
    }
  }
}

/** Books stores to their owners; stops in front of sums that do not fit, and gives where. */
export function moveSizes(from: u32, to: u32, owners: usize, synthetic: u32): u32 {
  for (let node = from; node < to; node++) {
    const owner = at(owners, node);
    if (owner === node || owner >= SHARED || owner === root || typeOf(owner) === synthetic) continue;
    const size = <u64>at(selfSize, owner) + at(selfSize, node);
    if (size >= WIDE) return node;
    put(selfSize, owner, <u32>size);
    put(selfSize, node, 0);
  }
  return to;
}

export function sumSizes(from: u32, to: u32): f64 {
  let sum: u64 = 0;
  for (let node = from; node < to; node++) sum += at(selfSize, node);
  return <f64>sum;
}

/** Adds what nodes retain to what their dominators do, the last of the order first. */
function retain<T>(first: u32, last: u32, order: usize, immediate: usize, retained: usize): void {
  const shift = sizeof<T>() === 8 ? 3 : 2;
  for (let here = last; here >= first; here--) {
    const node = at(order, here);
    const above = retained + ((<usize>at(immediate, node)) << shift);
    store<T>(above, load<T>(above) + load<T>(retained + ((<usize>node) << shift)));
  }
}

export function retainWords(first: u32, last: u32, order: usize, immediate: usize, retained: usize): void {
  retain<u32>(first, last, order, immediate, retained);
}

export function retainDoubles(first: u32, last: u32, order: usize, immediate: usize, retained: usize): void {
  retain<f64>(first, last, order, immediate, retained);
}

/** Bytes of the nodes of each type, and of one name of one type on top. */
export function sumKinds(from: u32, to: u32, sums: usize, native: u32, name: u32): f64 {
  let named: f64 = 0;
  for (let node = from; node < to; node++) {
    const type = byteAt(kind, node) & 0x1f;
    const bytes = <f64>at(selfSize, node);
    const place = sums + (type << 3);
    store<f64>(place, load<f64>(place) + bytes);
    if (type === native && at(nameIndex, node) === name) named += bytes;
  }
  return named;
}
