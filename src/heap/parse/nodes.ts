import type { Layout, NodeLayout } from './header.js';
import { FAST_DIGITS, RecordSection } from './records.js';

/** The low five bits of a node's byte are its type, the next two its detachedness. */
export const TYPE_BITS = 0x1f;
export const DETACHED_SHIFT = 5;

const UINT32 = 2 ** 32;

/** Node records as columns; 17 bytes a node. `firstEdge[v]` .. `firstEdge[v + 1]` are the edges of node v. */
export class NodeSection extends RecordSection {
  readonly kind: Uint8Array;
  readonly nameIndex: Uint32Array;
  readonly id: Uint32Array;
  readonly selfSize: Uint32Array;
  readonly firstEdge: Uint32Array;
  /** Self sizes of 4 GiB and more (external memory); `selfSize` holds 2^32 - 1 there. */
  readonly wideSizes = new Map<number, number>();
  maxNameIndex = 0;
  private edges = 0;
  private readonly nodeCount: number;
  private readonly edgeCount: number;
  private readonly layout: NodeLayout;

  constructor(layout: Layout) {
    super('nodes', layout.node.fields);
    this.layout = layout.node;
    this.nodeCount = layout.nodeCount;
    this.edgeCount = layout.edgeCount;
    this.kind = new Uint8Array(layout.nodeCount);
    this.nameIndex = new Uint32Array(layout.nodeCount);
    this.id = new Uint32Array(layout.nodeCount);
    this.selfSize = new Uint32Array(layout.nodeCount);
    this.firstEdge = new Uint32Array(layout.nodeCount + 1);
  }

  /** Edges that the node records claim. */
  get claimedEdges(): number {
    return this.edges;
  }

  protected commit(): string | undefined {
    const { record, layout, recordCount: at } = this;
    if (at >= this.nodeCount) return `more nodes than the ${this.nodeCount} promised`;
    const type = record[layout.type]!;
    const name = record[layout.name]!;
    const id = record[layout.id]!;
    const detachedness = layout.detachedness < 0 ? 0 : record[layout.detachedness]!;
    if (type >= layout.types.length) return `type ${type} of ${layout.types.length}`;
    if (name >= UINT32 || id >= UINT32) return 'a name or id beyond 32 bits';
    if (detachedness > 2) return `detachedness ${detachedness}`;
    this.edges += record[layout.edgeCount]!;
    if (this.edges > this.edgeCount) return `nodes with more edges than the ${this.edgeCount} promised`;
    this.kind[at] = type | (detachedness << DETACHED_SHIFT);
    this.nameIndex[at] = name;
    if (name > this.maxNameIndex) this.maxNameIndex = name;
    this.id[at] = id;
    this.storeSize(at, record[layout.selfSize]!);
    this.firstEdge[at + 1] = this.edges;
    return undefined;
  }

  private storeSize(at: number, size: number): void {
    if (size >= UINT32 - 1) this.wideSizes.set(at, size);
    this.selfSize[at] = Math.min(size, UINT32 - 1);
  }

  protected fast(bytes: Uint8Array, start: number, end: number): number {
    const { layout, nodeCount, edgeCount, kind, nameIndex, id, selfSize, firstEdge } = this;
    const { width, type, name, id: idField, selfSize: size, edgeCount: edgesField, detachedness } = layout;
    const types = layout.types.length;
    const values = new Int32Array(width);
    const last = end - width * (FAST_DIGITS + 2) - 2;
    let at = this.recordCount;
    let edges = this.edges;
    let maxName = this.maxNameIndex;
    let position = start;
    let cursor = start;
    records: while (position < last && at < nodeCount) {
      for (let field = 0; field < width; field++) {
        const begin = cursor;
        // 0x30..0x39 with bits 4 and 5 flipped are 0..9, and no other byte is below ten.
        let value = bytes[cursor]! ^ 0x30;
        if (value > 9) break records;
        if (bytes[cursor + 1] === 0x2c && field < width - 1) {
          // Most fields have one digit: type, references, the two that are nearly always 0.
          values[field] = value;
          cursor += 2;
          continue;
        }
        for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
          value = (Math.imul(value, 10) + digit) | 0;
        }
        const digits = cursor - begin;
        if (digits > FAST_DIGITS) break records;
        values[field] = value;
        if (field < width - 1 && bytes[cursor++] !== 0x2c) break records;
      }
      if (bytes[cursor] === 0x0a) cursor++;
      if (bytes[cursor++] !== 0x2c) break;
      const kindOf = values[type]!;
      const link = detachedness < 0 ? 0 : values[detachedness]!;
      const sum = edges + values[edgesField]!;
      if (kindOf >= types || link > 2 || sum > edgeCount) break;
      const named = values[name]!;
      if (named > maxName) maxName = named;
      kind[at] = kindOf | (link << DETACHED_SHIFT);
      nameIndex[at] = named;
      id[at] = values[idField]!;
      selfSize[at] = values[size]!;
      edges = sum;
      firstEdge[++at] = sum;
      position = cursor;
    }
    this.recordCount = at;
    this.edges = edges;
    this.maxNameIndex = maxName;
    return position;
  }
}
