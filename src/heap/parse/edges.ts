import type { EdgeLayout, Layout } from './header.js';
import { FAST_DIGITS, RecordSection } from './records.js';

/** An edge's type sits above its name (a string's index, or an element's index) in one 32-bit word. */
export const NAME_BITS = 29;
export const NAME_MASK = 2 ** NAME_BITS - 1;
/** Element indexes that do not fit: more of them than this is no heap of a real program. */
const MAX_WIDE_NAMES = 1_000_000;

/** Edge records as columns; 8 bytes an edge. */
export class EdgeSection extends RecordSection {
  /** type << 29 | name or index; the index is in `wideNames` where all 29 bits are set. */
  readonly label: Uint32Array;
  /** Ordinals. (The analysis later marks the edges that do not retain by inverting them.) */
  readonly target: Int32Array;
  readonly wideNames = new Map<number, number>();
  maxNameIndex = 0;
  private readonly edgeCount: number;
  private readonly nodeCount: number;
  private readonly nodeWidth: number;
  private readonly layout: EdgeLayout;
  /** 1 for the types whose second field is an index and not a name. */
  private readonly indexed: Uint8Array;

  constructor(layout: Layout) {
    super('edges', layout.edge.fields);
    this.layout = layout.edge;
    this.edgeCount = layout.edgeCount;
    this.nodeCount = layout.nodeCount;
    this.nodeWidth = layout.node.width;
    this.indexed = Uint8Array.from(layout.edge.types, name => (name === 'element' || name === 'hidden' ? 1 : 0));
    this.label = new Uint32Array(layout.edgeCount);
    this.target = new Int32Array(layout.edgeCount);
  }

  protected commit(): string | undefined {
    const { record, layout, recordCount: at } = this;
    if (at >= this.edgeCount) return `more edges than the ${this.edgeCount} promised`;
    const type = record[layout.type]!;
    const name = record[layout.nameOrIndex]!;
    const ordinal = record[layout.toNode]! / this.nodeWidth;
    if (type >= layout.types.length) return `type ${type} of ${layout.types.length}`;
    if (!Number.isInteger(ordinal)) return 'to_node points into the middle of a node';
    if (ordinal >= this.nodeCount) return `to_node points behind the last of ${this.nodeCount} nodes`;
    if (!this.indexed[type]) this.maxNameIndex = Math.max(this.maxNameIndex, name);
    if (name >= NAME_MASK && !this.storeWide(at, name)) return 'too many huge element indexes';
    this.label[at] = ((type << NAME_BITS) | Math.min(name, NAME_MASK)) >>> 0;
    this.target[at] = ordinal;
    return undefined;
  }

  private storeWide(at: number, name: number): boolean {
    this.wideNames.set(at, name);
    return this.wideNames.size <= MAX_WIDE_NAMES;
  }

  /** The hottest loop of the program: a large file is two thirds edges. Only for the field order that V8 has. */
  protected fast(bytes: Uint8Array, start: number, end: number): number {
    const { layout, edgeCount, nodeCount, nodeWidth, label, target, indexed } = this;
    if (layout.width !== 3 || layout.type !== 0 || layout.nameOrIndex !== 1 || layout.toNode !== 2) return start;
    const types = layout.types.length;
    const perNode = 1 / nodeWidth;
    const last = end - 3 * (FAST_DIGITS + 2) - 2;
    let at = this.recordCount;
    let maxName = this.maxNameIndex;
    let position = start;
    while (position < last && at < edgeCount) {
      const type = bytes[position]! ^ 0x30;
      if (type >= types || bytes[position + 1] !== 0x2c) break;
      let cursor = position + 2;
      let name = bytes[cursor]! ^ 0x30;
      if (name > 9) break;
      for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
        name = (Math.imul(name, 10) + digit) | 0;
      }
      if (bytes[cursor] !== 0x2c || cursor - position > FAST_DIGITS + 1) break;
      const begin = ++cursor;
      let index = bytes[cursor]! ^ 0x30;
      if (index > 9) break;
      for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
        index = (Math.imul(index, 10) + digit) | 0;
      }
      if (cursor - begin > FAST_DIGITS) break;
      if (bytes[cursor] === 0x0a) cursor++;
      if (bytes[cursor] !== 0x2c) break;
      // Rounds, because the product may fall a hair short of the integer; the check finds what is no multiple.
      const ordinal = (index * perNode + 0.5) | 0;
      if (Math.imul(ordinal, nodeWidth) !== index || ordinal >= nodeCount || name >= NAME_MASK) break;
      if (name > maxName && indexed[type] === 0) maxName = name;
      label[at] = (type << NAME_BITS) | name;
      target[at++] = ordinal;
      position = cursor + 1;
    }
    this.recordCount = at;
    this.maxNameIndex = maxName;
    return position;
  }
}
