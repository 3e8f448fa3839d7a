// Columns are addresses in the memory that both threads share; each thread has an instance of its own that knows them.

export let nodeCount: u32 = 0;
export let edgeCount: u32 = 0;
export let root: u32 = 0;
export let kind: usize = 0;
export let nameIndex: usize = 0;
export let selfSize: usize = 0;
export let firstEdge: usize = 0;
export let label: usize = 0;
export let target: usize = 0;

export const TYPE_BITS: u32 = 0x1f;
export const NAME_BITS: u32 = 29;
export const NAME_MASK: u32 = (1 << 29) - 1;

/** The file that every other loop is about, until another one is opened. */
export function open(
  nodes: u32,
  edges: u32,
  rootOrdinal: u32,
  kinds: usize,
  names: usize,
  sizes: usize,
  firstEdges: usize,
  labels: usize,
  targets: usize,
): void {
  nodeCount = nodes;
  edgeCount = edges;
  root = rootOrdinal;
  kind = kinds;
  nameIndex = names;
  selfSize = sizes;
  firstEdge = firstEdges;
  label = labels;
  target = targets;
}

export function at(column: usize, index: u32): u32 {
  return load<u32>(column + ((<usize>index) << 2));
}

export function put(column: usize, index: u32, value: u32): void {
  store<u32>(column + ((<usize>index) << 2), value);
}

export function byteAt(column: usize, index: u32): u32 {
  return load<u8>(column + index);
}

export function typeOf(node: u32): u32 {
  return byteAt(kind, node) & TYPE_BITS;
}

/** Where an edge points, whether it retains or not. */
export function pointedAt(to: i32): u32 {
  return to ^ (to >> 31);
}

/** The last bits of an ordinal say for nearly all that they are not looked for, from a table that stays in a core's cache. */
export const FILTER_MASK: u32 = 0x3fff;

/** Set in a node's number where it is a part of the holder with that number. */
export const PART: u32 = 0x80000000;

/** Bytes by ordinal are words, or doubles where the heap is larger than words can say. */
export function bytesOf<T>(retained: usize, node: u32): f64 {
  return sizeof<T>() === 8
    ? load<f64>(retained + ((<usize>node) << 3))
    : <f64>load<u32>(retained + ((<usize>node) << 2));
}
