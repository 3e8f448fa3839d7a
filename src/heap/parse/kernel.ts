import { type EdgeColumns, indexedTypes, isUsualEdge } from './fast-edges.js';
import { FIRST_FIELDS, isUsualNode, type NodeColumns } from './fast-nodes.js';
import type { Layout } from './header.js';
import { COLUMNS, INPUT, INPUT_BYTES, RECORDS, WASM } from './kernel-bytes.js';
import { longestRecord, type Run } from './records.js';
import { SPECIAL_TEXTS } from './special-texts.js';

/** What scripts/heap-kernel.mjs wrote. Loops take (at, last, room, …) and give the number of records they read. */
interface Loops {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Where the last call stopped, and the greatest name that it met. */
  readonly position: { readonly value: number };
  readonly maxName: { readonly value: number };
  readonly edges: (...numbers: (number | bigint)[]) => number;
  readonly nodes: (...numbers: (number | bigint)[]) => number;
  readonly texts: (...numbers: (number | bigint)[]) => number;
  /** How many texts `texts` has marked. */
  readonly marked: { readonly value: number };
}

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Loops };
}

/** Reads records from `run.position` on, up to `room` of them; stops in front of the first one it does not like. */
export type Read = (bytes: Uint8Array, run: Run, room: number) => void;

/** Texts that the kernel has read: where they begin, and which may be special (0: the one that was open before). */
export interface ReadTexts {
  /** Where it stopped. */
  readonly position: number;
  readonly starts: Uint32Array;
  readonly marked: Uint32Array;
}

/** Up to this width of a node a reciprocal of 34 bits divides numbers of nine digits exactly. */
const MAX_WIDTH = 15;
const RECIPROCAL_BITS = 34n;
/** Texts are looked at sixteen bytes at a time, and what is between two of them is four. */
const TEXT_MARGIN = 24;
/** What words of V8 have: a bit for each length, and for each last byte (its lower six bits). */
const LENGTHS = SPECIAL_TEXTS.reduce((bits, text) => bits | (1 << text.length), 0);
const ENDS = SPECIAL_TEXTS.reduce((bits, text) => bits | (1n << BigInt(text.charCodeAt(text.length - 1) & 63)), 0n);

/**
 * Reads node and edge records sixteen bytes at a time (WebAssembly), in half the time that JavaScript takes. What it has
 * read is copied into the columns chunk by chunk, so that its own memory stays at one megabyte.
 */
export class Kernel {
  /** Chunks that are read into this memory are read where they lie; others are copied. */
  readonly input: Uint8Array;

  private constructor(private readonly loops: Loops) {
    this.input = new Uint8Array(loops.memory.buffer, INPUT, INPUT_BYTES);
  }

  /** Undefined where there is no WebAssembly (`--jitless`) or no SIMD; JavaScript reads everything then. */
  static make(): Kernel | undefined {
    // The types of it come with those of a browser (lib.dom).
    const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi };
    try {
      const bytes = Uint8Array.from(atob(WASM), char => char.charCodeAt(0));
      return wasm && new Kernel(new wasm.Instance(new wasm.Module(bytes)).exports);
    } catch {
      return undefined;
    }
  }

  /** Undefined for files with other fields than V8's. */
  edges({ edge, node, nodeCount }: Layout, { label, target }: EdgeColumns): Read | undefined {
    if (!isUsualEdge(edge) || node.width > MAX_WIDTH) return undefined;
    const { loops } = this;
    const { buffer } = loops.memory;
    const labels = new Uint32Array(buffer, COLUMNS[0], RECORDS);
    const targets = new Int32Array(buffer, COLUMNS[1], RECORDS);
    const indexed = indexedTypes(edge).reduce((bits, is, type) => bits | (is << type), 0);
    const layout = [edge.types.length, indexed, nodeCount, node.width];
    const reciprocal = (1n << RECIPROCAL_BITS) / BigInt(node.width) + 1n;
    return this.reader(3, (run, at, last, room) => {
      const read = loops.edges(at, last, room, ...layout, reciprocal);
      label.set(labels.subarray(0, read), run.count);
      target.set(targets.subarray(0, read), run.count);
      return read;
    });
  }

  /** Undefined for files with other fields than V8's. */
  nodes({ node, edgeCount }: Layout, { kind, nameIndex, id, selfSize, firstEdge }: NodeColumns): Read | undefined {
    if (!isUsualNode(node) || node.width > MAX_WIDTH) return undefined;
    const { loops } = this;
    const { buffer } = loops.memory;
    const kinds = new Uint8Array(buffer, COLUMNS[0], RECORDS);
    const [names, ids, sizes, sums] = [1, 2, 3, 4].map(i => new Uint32Array(buffer, COLUMNS[i], RECORDS));
    const tail = tailOf(node.width);
    const link = node.detachedness < 0 ? 0 : 2 * (node.detachedness - FIRST_FIELDS) + 1;
    return this.reader(node.width, (run, at, last, room) => {
      const read = loops.nodes(at, last, room, node.types.length, run.sum, edgeCount, tail.marks, tail.bytes, link);
      kind.set(kinds.subarray(0, read), run.count);
      nameIndex.set(names!.subarray(0, read), run.count);
      id.set(ids!.subarray(0, read), run.count);
      selfSize.set(sizes!.subarray(0, read), run.count);
      firstEdge.set(sums!.subarray(0, read), run.count + 1);
      if (read > 0) run.sum = sums![read - 1]!;
      return read;
    });
  }

  /**
   * Reads texts that follow one another from a position within one on, `used` bytes of texts having been kept before that;
   * stops in front of what it does not like, near the end, or when it has no room.
   */
  texts(bytes: Uint8Array, from: number, used: number): ReadTexts {
    const { loops } = this;
    const { buffer } = loops.memory;
    const [at, end] = this.place(bytes, from);
    const read = loops.texts(at, end - TEXT_MARGIN, RECORDS, at, used - at, LENGTHS, ENDS);
    return {
      position: from + loops.position.value - at,
      starts: new Uint32Array(buffer, COLUMNS[0], read),
      marked: new Uint32Array(buffer, COLUMNS[1], loops.marked.value),
    };
  }

  /** Goes through the bytes in pieces that fit its memory. */
  private reader(width: number, loop: (run: Run, at: number, last: number, room: number) => number): Read {
    const { position, maxName } = this.loops;
    // A record may be this long; the ones at a chunk's end are read by those who know what comes next.
    const longest = longestRecord(width);
    return (bytes, run, room) => {
      for (let read = RECORDS; read > 0; ) {
        const [at, end] = this.place(bytes, run.position);
        const before = run.position - at;
        read = loop(run, at, end - longest, Math.min(room - run.count, RECORDS));
        run.count += read;
        run.maxName = Math.max(run.maxName, maxName.value);
        run.position = before + position.value;
      }
    };
  }

  /** Where the bytes from `from` on begin and end in its memory. */
  private place(bytes: Uint8Array, from: number): [at: number, end: number] {
    const { buffer } = this.loops.memory;
    if (bytes.buffer === buffer) return [bytes.byteOffset + from, bytes.byteOffset + bytes.length];
    const piece = bytes.subarray(from, from + INPUT_BYTES);
    this.input.set(piece);
    return [INPUT, INPUT + piece.length];
  }
}

/** The marks from the end of the fifth field to that of the line: a comma before each digit, a newline, a comma. */
function tailOf(width: number): { marks: bigint; bytes: number } {
  const newline = 2 * (width - FIRST_FIELDS);
  let marks = 3n << BigInt(newline);
  for (let comma = 0; comma < newline; comma += 2) marks |= 1n << BigInt(comma);
  return { marks, bytes: newline + 2 };
}
