import type { GraphColumns, GraphLoops } from './graph.js';
import { GRAPH } from './graph-bytes.js';

/** Memory that several threads and the loops in WebAssembly read alike. */
interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  readonly grow: (pages: number) => number;
}

interface WebAssemblyApi {
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: WasmMemory }; distances: { numberOf: (text: number) => number } },
  ) => { readonly exports: GraphLoops };
}

const PAGE = 65_536;
/** 4 GiB: addresses have 32 bits. */
const MOST_PAGES = 65_536;
export const ARENA_BYTES = MOST_PAGES * PAGE;
/** What is taken at once: growing interrupts the other thread. */
const STEP_PAGES = 512;
/** A line of a core's cache, which two threads shall not write to at once. */
const LINE = 64;
/** The first line holds how many lines are taken, and how many were ever. */
const [TAKEN, HIGHEST] = [0, 1];

/** What makes the same arena in another thread. */
export interface ArenaParts {
  readonly memory: WasmMemory;
  readonly module: object;
}

/**
 * The memory of a file's columns and of the arrays that are made from them. It only grows; what is taken and never written
 * costs nothing. Both threads take from it.
 */
export class Arena implements ArenaParts {
  readonly memory: WasmMemory;
  readonly module: object;
  /** Each thread has its own: they know the columns that were opened last. */
  readonly loops: GraphLoops;
  private readonly state: Int32Array;
  private numberOf: (text: number) => number = () => -1;

  /** Throws RangeError where there is no room for addresses, and where there is no WebAssembly at all. */
  constructor(parts?: ArenaParts) {
    // The types of it come with those of a browser (lib.dom).
    const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi };
    if (!wasm)
      throw new RangeError('heapSnapshots are read by WebAssembly, which this Node has switched off (--jitless)');
    this.memory = parts?.memory ?? new wasm.Memory({ initial: STEP_PAGES, maximum: MOST_PAGES, shared: true });
    this.module = parts?.module ?? new wasm.Module(Uint8Array.from(atob(GRAPH), char => char.charCodeAt(0)));
    const distances = { numberOf: (text: number) => this.numberOf(text) };
    this.loops = new wasm.Instance(this.module, { env: { memory: this.memory }, distances }).exports;
    this.state = new Int32Array(this.memory.buffer, 0, LINE / 4);
    if (!parts) this.clear();
  }

  /** Takes everything back; whoever still has an array of it must not use it any more. */
  clear(): void {
    this.state[TAKEN] = 1;
    if (this.state[HIGHEST] === 0) this.state[HIGHEST] = 1;
  }

  /** What the loops are about from now on. `numberOf` gives the number that a text of the file begins with, or -1. */
  open(
    { firstEdge, target, kind, nameIndex, selfSize, label, ...graph }: GraphColumns,
    numberOf = this.numberOf,
  ): void {
    const { nodeCount, edgeCount, root } = graph;
    const [kinds, names, sizes] = [kind, nameIndex, selfSize].map(column => column?.byteOffset ?? 0);
    this.loops.open(
      nodeCount,
      edgeCount,
      root,
      kinds!,
      names!,
      sizes!,
      firstEdge.byteOffset,
      label?.byteOffset ?? 0,
      target.byteOffset,
    );
    this.numberOf = numberOf;
  }

  /** Zeros. */
  bytes(length: number): Uint8Array {
    const at = this.zeros(length);
    return new Uint8Array(this.memory.buffer, at, length);
  }

  words(length: number): Uint32Array {
    const at = this.zeros(length * 4);
    return new Uint32Array(this.memory.buffer, at, length);
  }

  /** Words with anything in them. */
  dirtyWords(length: number): Uint32Array {
    const at = this.take(length * 4);
    return new Uint32Array(this.memory.buffer, at, length);
  }

  integers(length: number): Int32Array {
    const at = this.zeros(length * 4);
    return new Int32Array(this.memory.buffer, at, length);
  }

  doubles(length: number): Float64Array {
    const at = this.zeros(length * 8);
    return new Float64Array(this.memory.buffer, at, length);
  }

  /** What was never taken before is zeros already, and shall not be touched. */
  private zeros(bytes: number): number {
    const highest = Atomics.load(this.state, HIGHEST);
    const from = this.take(bytes);
    const dirty = Math.min(bytes, highest * LINE - from);
    if (dirty > 0) new Uint8Array(this.memory.buffer, from, dirty).fill(0);
    return from;
  }

  private take(bytes: number): number {
    const lines = Math.ceil(bytes / LINE);
    const from = Atomics.add(this.state, TAKEN, lines);
    const end = from + lines;
    if (end * LINE > ARENA_BYTES) {
      Atomics.sub(this.state, TAKEN, lines);
      throw new RangeError('more than 4 GiB of columns');
    }
    this.grow(end * LINE);
    for (let highest = Atomics.load(this.state, HIGHEST); highest < end; ) {
      highest =
        Atomics.compareExchange(this.state, HIGHEST, highest, end) === highest
          ? end
          : Atomics.load(this.state, HIGHEST);
    }
    return from * LINE;
  }

  private grow(end: number): void {
    while (this.memory.buffer.byteLength < end) {
      const has = this.memory.buffer.byteLength / PAGE;
      const wanted = Math.max(Math.ceil(end / PAGE) - has, STEP_PAGES);
      this.memory.grow(Math.min(wanted, MOST_PAGES - has));
    }
  }
}
