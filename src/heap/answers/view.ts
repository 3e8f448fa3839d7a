import type { Heap } from '../analyse.js';
import { pointedAt } from '../analysis/essential.js';
import type { EdgeType, NodeType } from '../analysis/facts.js';
import { sizeOf } from '../analysis/own-sizes.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';

const NAME_LIMIT = 256;
const PARTS: ReadonlySet<string> = new Set(['array', 'hidden', 'object shape']);

/** Reads a heap node by node, by ordinal. For answers; the analysis itself works on the columns. */
export class HeapView {
  private byId: Map<number, number> | undefined;

  private readonly isPartType: Uint8Array;
  /** Where names that were asked for stand among the texts: comparing numbers is quicker. */
  private readonly textOf = new Map<string, number>();

  constructor(readonly heap: Heap) {
    this.isPartType = Uint8Array.from(heap.file.layout.node.types, type => (PARTS.has(type) ? 1 : 0));
  }

  get nodeCount(): number {
    return this.heap.file.nodeCount;
  }

  get totalBytes(): number {
    return this.heap.retained[this.heap.file.root]! + this.heap.file.layout.extraNativeBytes;
  }

  type(node: number): NodeType {
    const { file } = this.heap;
    // The file's own word: a type that V8 adds later is none of NodeType, and then equals none of them.
    return file.layout.node.types[file.kind[node]! & TYPE_BITS] as NodeType;
  }

  name(node: number): string {
    const { file } = this.heap;
    return file.strings.text(file.nameIndex[node]!, NAME_LIMIT);
  }

  id(node: number): number {
    return this.heap.file.id[node]!;
  }

  className(node: number): string {
    return this.heap.classes.list[this.heap.classes.of[node]!]?.name ?? '?';
  }

  selfBytes(node: number): number {
    return sizeOf(this.heap.file, node);
  }

  retainedBytes(node: number): number {
    return this.heap.retained[node]!;
  }

  distance(node: number): number {
    return this.heap.distance[node]!;
  }

  dominator(node: number): number {
    return this.heap.immediate[node]!;
  }

  /** Ordinal of an object id, or undefined. */
  find(id: number): number | undefined {
    const { file } = this.heap;
    if (this.byId) return this.byId.get(id);
    const at = file.id.indexOf(id);
    return at < 0 ? undefined : at;
  }

  /** Edge indexes of a node. */
  *edges(node: number): Generator<number> {
    const { firstEdge } = this.heap.file;
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) yield edge;
  }

  edgeType(edge: number): EdgeType {
    const { file } = this.heap;
    return file.layout.edge.types[file.label[edge]! >>> NAME_BITS] as EdgeType; // the file's own word, as above
  }

  /** Name of a property, variable or slot; the index of an element as text. */
  edgeName(edge: number): string {
    const { file } = this.heap;
    const type = this.edgeType(edge);
    const name = file.label[edge]! & NAME_MASK;
    if (type !== 'element' && type !== 'hidden') return file.strings.text(name, NAME_LIMIT);
    return String(name === NAME_MASK ? (file.wideNames.get(edge) ?? name) : name);
  }

  target(edge: number): number {
    return pointedAt(this.heap.file.target[edge]!);
  }

  retains(edge: number): boolean {
    return this.heap.file.target[edge]! >= 0;
  }

  /** Target of the first edge of this type and name (of letters, as identifiers are), or undefined. */
  child(node: number, type: 'internal' | 'property', name: string): number | undefined {
    const { file, facts } = this.heap;
    const { firstEdge, label, strings } = file;
    const wanted = facts.edge[type];
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) {
      if (label[edge]! >>> NAME_BITS !== wanted) continue;
      const text = label[edge]! & NAME_MASK;
      if (text !== this.textOf.get(name)) {
        if (strings.length(text) !== name.length || strings.text(text) !== name) continue;
        this.textOf.set(name, text);
      }
      return this.target(edge);
    }
    return undefined;
  }

  /** True for V8's backing stores and other parts that stand for nothing by themselves. */
  isPart(node: number): boolean {
    return this.isPartType[this.heap.file.kind[node]! & TYPE_BITS] === 1;
  }
}
