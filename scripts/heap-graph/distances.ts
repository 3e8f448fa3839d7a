import {
  at,
  byteAt,
  firstEdge,
  label,
  NAME_BITS,
  NAME_MASK,
  nameIndex,
  pointedAt,
  put,
  target,
  typeOf,
} from './columns';
import { ephemeron } from './owned';

const NO_DISTANCE: u32 = -5;

/** The number that a text begins with, or -1. */
declare function numberOf(text: u32): i32;

// What decides, as numbers of types and texts.
let weak: u32 = 0;
let internal: u32 = 0;
let element: u32 = 0;
let hiddenEdge: u32 = 0;
let hidden: u32 = 0;
let array: u32 = 0;
let nativeContext: u32 = 0;
let mapDescriptors: u32 = 0;
let sloppyFunctionMap: u32 = 0;
let marks: usize = 0;
let names: usize = 0;
let nameCount: u32 = 0;
/** A byte for each pair of edges of a WeakMap's entry: whether one of them was met. */
let held: usize = 0;

export function setDistanceTypes(
  weakEdge: u32,
  internalEdge: u32,
  elementEdge: u32,
  hiddenOne: u32,
  hiddenNode: u32,
  arrayNode: u32,
): void {
  weak = weakEdge;
  internal = internalEdge;
  element = elementEdge;
  hiddenEdge = hiddenOne;
  hidden = hiddenNode;
  array = arrayNode;
}

export function setDistanceTexts(
  context: u32,
  descriptors: u32,
  sloppy: u32,
  markBytes: usize,
  nameRecords: usize,
  records: u32,
  heldBytes: usize,
): void {
  nativeContext = context;
  mapDescriptors = descriptors;
  sloppyFunctionMap = sloppy;
  marks = markBytes;
  names = nameRecords;
  nameCount = records;
  held = heldBytes;
}

let length: u32 = 0;

export function beginSpread(queued: u32): void {
  length = queued;
}

/** Goes on from the nodes `from` to at most `to` of the queue; gives how many of it are done. */
export function spread(from: u32, to: u32, distance: usize, queue: usize): u32 {
  let end = length;
  let next = from;
  for (; next < end && next < to; next++) {
    const node = at(queue, next);
    const type = typeOf(node);
    const away = at(distance, node) + 1;
    const isContext = type === hidden && at(nameIndex, node) === nativeContext;
    const isDescriptors = type === array && at(nameIndex, node) === mapDescriptors;
    for (let edge = at(firstEdge, node), last = at(firstEdge, node + 1); edge < last; edge++) {
      const child = pointedAt(at(target, edge));
      if (at(distance, child) !== NO_DISTANCE) continue;
      const word = at(label, edge);
      const edgeType = word >>> NAME_BITS;
      if (edgeType === weak) continue;
      if (isContext && isShortcut(word)) continue;
      if (isDescriptors && isDescriptor(word)) continue;
      if (edgeType === internal && byteAt(marks, word & NAME_MASK) !== 0 && isFirstOfPair(word & NAME_MASK)) continue;
      put(distance, child, away);
      put(queue, end++, child);
    }
  }
  length = end;
  return next;
}

export function queued(): u32 {
  return length;
}

function isIndex(word: u32): bool {
  const type = word >>> NAME_BITS;
  return type === element || type === hiddenEdge;
}

/** A way through V8's own tables that would make everything look near (DevTools skips the same). */
function isShortcut(word: u32): bool {
  return !isIndex(word) && (word & NAME_MASK) === sloppyFunctionMap;
}

/** Keys and types of hidden classes share one array; links to its descriptors are not valid for every class. */
function isDescriptor(word: u32): bool {
  const index = isIndex(word) ? word & NAME_MASK : numberOf(word & NAME_MASK);
  return <i32>index >= 2 && index % 3 === 1;
}

/** A WeakMap's value is as far as the farther of its map and its key: the first of the two edges does not count. */
function isFirstOfPair(text: u32): bool {
  const place = held + at(ephemeron(names, nameCount, text), 2);
  const isFirst = load<u8>(place) === 0;
  store<u8>(place, isFirst ? 1 : 0);
  return isFirst;
}
