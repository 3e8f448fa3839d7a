import type { Arena } from '../arena.js';
import { DETACHED_SHIFT, isUsualNode, type NodeColumns, readNodes } from './fast-nodes.js';
import type { Layout, NodeLayout } from './header.js';
import type { Kernel, Read } from './kernel.js';
import { RecordSection } from './records.js';

const UINT32 = 2 ** 32;

/** Node records as columns; 17 bytes a node. `firstEdge[v]` .. `firstEdge[v + 1]` are the edges of node v. */
export class NodeSection extends RecordSection {
  readonly columns: NodeColumns;
  /** Self sizes of 4 GiB and more (external memory); `selfSize` holds 2^32 - 1 there. */
  readonly wideSizes = new Map<number, number>();
  private readonly nodeCount: number;
  private readonly edgeCount: number;
  private readonly layout: NodeLayout;
  private readonly readFaster: Read | undefined;

  constructor(whole: Layout, kernel: Kernel | undefined, arena: Arena) {
    const { node, nodeCount, edgeCount } = whole;
    super('nodes', node.fields);
    this.layout = node;
    this.nodeCount = nodeCount;
    this.edgeCount = edgeCount;
    this.columns = {
      kind: arena.bytes(nodeCount),
      nameIndex: arena.words(nodeCount),
      id: arena.words(nodeCount),
      selfSize: arena.words(nodeCount),
      firstEdge: arena.words(nodeCount + 1),
    };
    this.readFaster = kernel?.nodes(whole, this.columns);
  }

  /** Edges that the node records claim. */
  get claimedEdges(): number {
    return this.run.sum;
  }

  get maxNameIndex(): number {
    return this.run.maxName;
  }

  protected commit(): string | undefined {
    const { record, layout, run, columns } = this;
    const at = run.count;
    if (at >= this.nodeCount) return `more nodes than the ${this.nodeCount} promised`;
    const type = record[layout.type]!;
    const name = record[layout.name]!;
    const id = record[layout.id]!;
    const detachedness = layout.detachedness < 0 ? 0 : record[layout.detachedness]!;
    if (type >= layout.types.length) return `type ${type} of ${layout.types.length}`;
    if (name >= UINT32 || id >= UINT32) return 'a name or id beyond 32 bits';
    if (detachedness > 2) return `detachedness ${detachedness}`;
    run.sum += record[layout.edgeCount]!;
    if (run.sum > this.edgeCount) return `nodes with more edges than the ${this.edgeCount} promised`;
    columns.kind[at] = type | (detachedness << DETACHED_SHIFT);
    columns.nameIndex[at] = name;
    run.maxName = Math.max(run.maxName, name);
    columns.id[at] = id;
    this.storeSize(at, record[layout.selfSize]!);
    columns.firstEdge[at + 1] = run.sum;
    return undefined;
  }

  private storeSize(at: number, size: number): void {
    if (size >= UINT32 - 1) this.wideSizes.set(at, size);
    this.columns.selfSize[at] = Math.min(size, UINT32 - 1);
  }

  protected fast(bytes: Uint8Array): void {
    if (!isUsualNode(this.layout)) return;
    this.readFaster?.(bytes, this.run, this.nodeCount);
    readNodes(
      { bytes, run: this.run, stop: bytes.length, room: this.nodeCount },
      this.layout,
      this.columns,
      this.edgeCount,
    );
  }
}
