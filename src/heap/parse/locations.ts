import type { Arena } from '../arena.js';
import type { Locations } from '../heap-file.js';
import type { Layout, LocationLayout } from './header.js';
import { FAST_DIGITS, RecordSection } from './records.js';

/** Where an object's constructor or a closure was written: V8's script id, 0-based line and column. */
export interface ScriptPosition {
  readonly scriptId: number;
  readonly line: number;
  readonly column: number;
}

const FIRST_ROOM = 1024;
const RECENT_MASK = 0xff;
/** Minified programs are one line of megabytes. */
const MAX_COLUMNS = 2 ** 26;

/** Location records: which node, and which of the distinct positions. A program has few positions and many objects. */
export class LocationSection extends RecordSection {
  private ordinal = new Uint32Array(FIRST_ROOM);
  private position = new Uint32Array(FIRST_ROOM);
  private readonly positions: ScriptPosition[] = [];
  private readonly known = new Map<number, Map<number, number>>();
  private readonly layout: LocationLayout;
  /** The last position of each of some hashes: most records have one of a few. */
  private readonly recent = new Int32Array(RECENT_MASK + 1).fill(-1);

  constructor(
    private readonly whole: Layout,
    layout: LocationLayout,
  ) {
    super('locations', layout.fields);
    this.layout = layout;
  }

  protected commit(): string | undefined {
    const { record, layout, whole } = this;
    const at = this.run.count;
    const ordinal = record[layout.object]! / whole.node.width;
    if (!Number.isInteger(ordinal) || ordinal >= whole.nodeCount) return 'object_index is no node';
    if (at === this.ordinal.length) this.grow();
    this.ordinal[at] = ordinal;
    this.position[at] = this.intern(record[layout.script]!, record[layout.line]!, record[layout.column]!);
    return undefined;
  }

  protected fast(bytes: Uint8Array): void {
    const { run, record } = this;
    const { width } = this.layout;
    const last = bytes.length - width * (FAST_DIGITS + 2) - 2;
    while (run.position < last) {
      let cursor = run.position;
      for (let field = 0; field < width; field++) {
        const begin = cursor;
        let value = 0;
        for (let digit = bytes[cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
          value = (Math.imul(value, 10) + digit) | 0;
        }
        if (cursor === begin || cursor - begin > FAST_DIGITS) return;
        if (field === width - 1 && bytes[cursor] === 0x0a) cursor++;
        if (bytes[cursor++] !== 0x2c) return;
        record[field] = value;
      }
      if (this.commit() !== undefined) return; // the slow path reads it again, and says where it is
      run.count++;
      run.position = cursor;
    }
  }

  private intern(scriptId: number, line: number, column: number): number {
    const slot = (line * 31 + column * 7 + scriptId) & RECENT_MASK;
    const recent = this.positions[this.recent[slot]!];
    if (recent && recent.column === column && recent.line === line && recent.scriptId === scriptId)
      return this.recent[slot]!;
    const places = this.known.get(scriptId) ?? new Map<number, number>();
    const key = line * MAX_COLUMNS + (column % MAX_COLUMNS);
    let index = places.get(key);
    if (index === undefined) {
      index = this.positions.push({ scriptId, line, column }) - 1;
      places.set(key, index);
      this.known.set(scriptId, places);
    }
    this.recent[slot] = index;
    return index;
  }

  private grow(): void {
    this.ordinal = enlarged(this.ordinal);
    this.position = enlarged(this.position);
  }

  finish(arena: Arena): Locations {
    const { count, positions } = this;
    const [ordinal, position] = [arena.words(count), arena.words(count)];
    ordinal.set(this.ordinal.subarray(0, count));
    position.set(this.position.subarray(0, count));
    return { count, ordinal, position, positions };
  }
}

export function noLocations(): Locations {
  return { count: 0, ordinal: new Uint32Array(), position: new Uint32Array(), positions: [] };
}

function enlarged(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
