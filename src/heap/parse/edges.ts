import type { Arena } from '../arena.js';
import { type EdgeColumns, indexedTypes, isUsualEdge, NAME_BITS, NAME_MASK, readEdges } from './fast-edges.js';
import type { EdgeLayout, Layout } from './header.js';
import type { Kernel, Read } from './kernel.js';
import { RecordSection } from './records.js';

/** Element indexes that do not fit: more of them than this is no heap of a real program. */
const MAX_WIDE_NAMES = 1_000_000;

/** The edges of a file, whoever has read them. */
export interface EdgeList {
  readonly columns: EdgeColumns;
  readonly wideNames: ReadonlyMap<number, number>;
  readonly count: number;
  readonly maxNameIndex: number;
}

/** Room for the edges of a file; 8 bytes an edge. */
export function newEdgeColumns({ edgeCount }: Pick<Layout, 'edgeCount'>, arena: Arena): EdgeColumns {
  return {
    label: arena.words(edgeCount),
    target: arena.integers(edgeCount),
  };
}

/** Edge records as columns. */
export class EdgeSection extends RecordSection implements EdgeList {
  /** Indexes of which all 29 bits are set in the columns. */
  readonly wideNames = new Map<number, number>();
  private readonly edgeCount: number;
  private readonly nodeCount: number;
  private readonly nodeWidth: number;
  private readonly layout: EdgeLayout;
  private readonly indexed: Uint8Array;
  private readonly readFaster: Read | undefined;

  constructor(
    layout: Layout,
    kernel: Kernel | undefined,
    readonly columns: EdgeColumns,
  ) {
    super('edges', layout.edge.fields);
    this.layout = layout.edge;
    this.edgeCount = layout.edgeCount;
    this.nodeCount = layout.nodeCount;
    this.nodeWidth = layout.node.width;
    this.indexed = indexedTypes(layout.edge);
    this.readFaster = kernel?.edges(layout, this.columns);
  }

  get maxNameIndex(): number {
    return this.run.maxName;
  }

  protected commit(): string | undefined {
    const { record, layout, run } = this;
    const at = run.count;
    if (at >= this.edgeCount) return `more edges than the ${this.edgeCount} promised`;
    const type = record[layout.type]!;
    const name = record[layout.nameOrIndex]!;
    const ordinal = record[layout.toNode]! / this.nodeWidth;
    if (type >= layout.types.length) return `type ${type} of ${layout.types.length}`;
    if (!Number.isInteger(ordinal)) return 'to_node points into the middle of a node';
    if (ordinal >= this.nodeCount) return `to_node points behind the last of ${this.nodeCount} nodes`;
    if (!this.indexed[type]) run.maxName = Math.max(run.maxName, name);
    if (name >= NAME_MASK && !this.storeWide(at, name)) return 'too many huge element indexes';
    this.columns.label[at] = ((type << NAME_BITS) | Math.min(name, NAME_MASK)) >>> 0;
    this.columns.target[at] = ordinal;
    return undefined;
  }

  private storeWide(at: number, name: number): boolean {
    this.wideNames.set(at, name);
    return this.wideNames.size <= MAX_WIDE_NAMES;
  }

  protected fast(bytes: Uint8Array): void {
    if (!isUsualEdge(this.layout)) return;
    this.readFaster?.(bytes, this.run, this.edgeCount);
    const { indexed, nodeCount, nodeWidth } = this;
    readEdges(
      { bytes, run: this.run, stop: bytes.length, room: this.edgeCount },
      { indexed, nodeCount, nodeWidth },
      this.columns,
    );
  }
}
