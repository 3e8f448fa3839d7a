import { at, nameIndex, put, selfSize, typeOf } from './columns';

/** How many nodes of the type have each text, and how many there are. */
export function countCopies(from: u32, to: u32, type: u32, copies: usize): u32 {
  let count: u32 = 0;
  for (let node = from; node < to; node++) {
    if (typeOf(node) !== type) continue;
    const text = at(nameIndex, node);
    put(copies, text, at(copies, text) + 1);
    count++;
  }
  return count;
}

/** Bytes of texts that have several copies, and a node of each. */
export function weighCopies(from: u32, to: u32, type: u32, copies: usize, bytes: usize, samples: usize): f64 {
  let sum: f64 = 0;
  for (let node = from; node < to; node++) {
    if (typeOf(node) !== type) continue;
    const text = at(nameIndex, node);
    const size = <f64>at(selfSize, node);
    sum += size;
    if (at(copies, text) === 1) continue; // most texts: two columns that need not be touched
    const place = bytes + ((<usize>text) << 3);
    store<f64>(place, load<f64>(place) + size);
    put(samples, text, node);
  }
  return sum;
}

/** The texts that have several copies go to `repeated`; gives how many. */
export function listRepeated(from: u32, to: u32, copies: usize, repeated: usize, count: u32): u32 {
  for (let text = from; text < to; text++) if (at(copies, text) >= 2) put(repeated, count++, text);
  return count;
}
