import type { Arena } from '../arena.js';
import type { Strings } from '../parse/strings.js';

const EPHEMERON =
  /^\d+(?<pair> \/ part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(?<tableId>\d+)\))$/;
const LONGEST = 4096;

/** The texts that name WeakMap entries. V8 writes an entry as two edges of one name: from the key and from the table. */
export interface Ephemerons {
  /** 1 for them, by index. */
  readonly marks: Uint8Array;
  /** Three words each, sorted: the text's index, the table's id, and a number that both edges of an entry have in common. */
  readonly records: Uint32Array;
  readonly count: number;
  readonly pairs: number;
}

export function findEphemerons(strings: Strings, arena: Arena): Ephemerons {
  const marks = arena.bytes(strings.count);
  const records: [text: number, tableId: number, pair: number][] = [];
  const pairs = new Map<string, number>();
  const { special } = strings;
  for (let i = 0; i < (special?.length ?? strings.count); i++) {
    const index = special ? special[i]! : i;
    if (!looksLikeOne(strings, index)) continue;
    const groups = EPHEMERON.exec(strings.text(index))?.groups;
    if (!groups || marks[index] === 1) continue;
    const text = groups.pair ?? '';
    const pair = pairs.get(text) ?? pairs.size;
    pairs.set(text, pair);
    records.push([index, Number(groups.tableId), pair]);
    marks[index] = 1;
  }
  const words = arena.words(records.length * 3);
  words.set(records.sort(([a], [b]) => a - b).flat());
  return { marks, records: words, count: records.length, pairs: pairs.size };
}

function looksLikeOne(strings: Strings, index: number): boolean {
  const length = strings.length(index);
  if (length < 40 || length > LONGEST) return false;
  const first = strings.byteAt(index, 0);
  return first >= 0x30 && first <= 0x39 && strings.byteAt(index, length - 1) === 0x29;
}
