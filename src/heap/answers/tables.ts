import { inSlices } from '../graph.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import { type Counted, repeatedTexts, type Texts } from './repeated.js';

/** Self sizes by kind of memory, in bytes. */
export interface KindBytes {
  readonly strings: number;
  readonly code: number;
  readonly buffers: number;
  readonly native: number;
  readonly system: number;
  readonly objects: number;
}

/** What of the first page needs neither dominators nor classes: another thread can count it meanwhile. */
export interface Tables {
  readonly kinds: KindBytes;
  readonly texts: Texts;
}

/** More than a page shows. */
const MOST_TEXTS = 100;

export function tablesOf(counted: Counted): Tables {
  return { kinds: kindBytes(counted), texts: repeatedTexts(counted, MOST_TEXTS) };
}

function kindBytes({ file, facts }: Counted): KindBytes {
  const { nodeCount, arena, kind, nameIndex, selfSize, wideSizes } = file;
  const byType = arena.doubles(TYPE_BITS + 1);
  let buffers = 0;
  inSlices(0, nodeCount, (from, to) => {
    buffers += arena.loops.sumKinds(from, to, byType.byteOffset, facts.node.native, facts.text.arrayBufferData);
  });
  for (const [node, size] of wideSizes) {
    const [type, more] = [kind[node]! & TYPE_BITS, size - selfSize[node]!];
    byType[type]! += more;
    if (type === facts.node.native && nameIndex[node] === facts.text.arrayBufferData) buffers += more;
  }
  const of = (...types: (keyof typeof facts.node)[]) =>
    types.reduce((sum, type) => sum + (byType[facts.node[type]] ?? 0), 0);
  const strings = of('string', 'concatenated string', 'sliced string');
  const [code, native, system] = [of('code'), of('native') - buffers, of('hidden', 'object shape')];
  const all = byType.reduce((sum, bytes) => sum + bytes, 0);
  return { strings, code, buffers, native, system, objects: all - strings - code - buffers - native - system };
}
