import type { Arena } from '../arena.js';
import type { Locations } from '../heap-file.js';
import type { Layout, LocationLayout } from './header.js';
import { longestRecord, RecordSection } from './records.js';

/** Where an object's constructor or a closure was written: V8's script id, 0-based line and column. */
export interface ScriptPosition {
  readonly scriptId: number;
  readonly line: number;
  readonly column: number;
}

const PIECE_BYTES = 256 * 1024;
const LEAST_ROOM = 1024;
const FIRST_SLOTS = 4096;
/** Script, line, column, and the position's number plus one. */
const SLOT_WORDS = 4;

/** Location records: which node, and which of the distinct positions. A program has few positions and many objects. */
export class LocationSection extends RecordSection {
  private readonly ordinal: Uint32Array;
  private readonly position: Uint32Array;
  /** Numbers of positions by what they are; half empty. */
  private table: Uint32Array;
  private readonly piece: Uint8Array;

  constructor(
    private readonly whole: Layout,
    private readonly layout: LocationLayout,
    private readonly arena: Arena,
  ) {
    super('locations', layout.fields);
    const room = Math.max(LEAST_ROOM, whole.nodeCount); // an object was made at one place
    this.ordinal = arena.words(room);
    this.position = arena.words(room);
    this.table = arena.words(FIRST_SLOTS * SLOT_WORDS);
    this.piece = arena.bytes(PIECE_BYTES);
    arena.loops.beginLocations();
  }

  protected commit(): string | undefined {
    const { record, layout, whole } = this;
    const at = this.run.count;
    const ordinal = record[layout.object]! / whole.node.width;
    if (!Number.isInteger(ordinal) || ordinal >= whole.nodeCount) return 'object_index is no node';
    if (at >= this.ordinal.length) return 'more locations than nodes';
    this.ordinal[at] = ordinal;
    this.position[at] = this.intern(record[layout.script]!, record[layout.line]!, record[layout.column]!);
    return undefined;
  }

  protected fast(bytes: Uint8Array): void {
    const { run, piece, layout } = this;
    const isUsual = layout.object === 0 && layout.script === 1 && layout.line === 2 && layout.column === 3;
    if (!isUsual || layout.width !== SLOT_WORDS) return;
    const taken = bytes.subarray(run.position, run.position + PIECE_BYTES);
    piece.set(taken);
    const begin = piece.byteOffset;
    run.position += this.readPiece(begin, begin + taken.length - longestRecord(layout.width)) - begin;
  }

  /** Gives where it stops: near the end, or in front of what the slow path has to see. */
  private readPiece(from: number, last: number): number {
    const { run, arena, whole } = this;
    for (let at = from; ; ) {
      const [ordinals, positions] = [this.ordinal, this.position].map(({ byteOffset }) => byteOffset + run.count * 4);
      const into = [ordinals!, positions!, this.table.byteOffset, this.mask];
      const room = this.ordinal.length - run.count;
      const read = arena.loops.readLocations(at, last, room, whole.node.width, whole.nodeCount, ...into);
      at = arena.loops.locationsEnd();
      run.count += read;
      if (!this.widen()) return at;
    }
  }

  private get mask(): number {
    return this.table.length / SLOT_WORDS - 1;
  }

  private intern(scriptId: number, line: number, column: number): number {
    this.widen();
    return this.arena.loops.numberLocation(scriptId, line, column, this.table.byteOffset, this.mask);
  }

  /** Where the table is more than half full. */
  private widen(): boolean {
    const { table, arena, mask } = this;
    if (arena.loops.knownLocations() * 2 <= mask) return false;
    this.table = arena.words(table.length * 2);
    arena.loops.widenLocations(table.byteOffset, mask + 1, this.table.byteOffset, this.mask);
    return true;
  }

  finish(): Locations {
    const { count, table, ordinal, position } = this;
    const positions: ScriptPosition[] = [];
    for (let slot = 0; slot < table.length; slot += SLOT_WORDS) {
      const [scriptId, line, column] = [table[slot]!, table[slot + 1]!, table[slot + 2]!];
      if (table[slot + 3] !== 0) positions[table[slot + 3]! - 1] = { scriptId, line, column };
    }
    return { count, ordinal, position, positions };
  }
}

export function noLocations(): Locations {
  return { count: 0, ordinal: new Uint32Array(), position: new Uint32Array(), positions: [] };
}
