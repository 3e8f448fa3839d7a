import { ARENA_BYTES, Arena } from '../arena.js';
import { type HeapFile, openFile } from '../heap-file.js';
import { MalformedSnapshot } from '../malformed.js';
import { type EdgeList, EdgeSection, newEdgeColumns } from './edges.js';
import { type Layout, readLayout } from './header.js';
import { Kernel } from './kernel.js';
import { LocationSection, noLocations } from './locations.js';
import { type NewBuffer, ownBuffer } from './new-buffer.js';
import { NodeSection } from './nodes.js';
import { HeadSection, SkipSection } from './other.js';
import { describeByte, isSpace, type Section } from './records.js';
import { StringSection } from './strings.js';

export interface ReaderOptions {
  /** Size of the whole text where it is known: a head that promises more than fits is refused at once. */
  readonly totalBytes?: number;
  /** Memory the analysis may take, in bytes; a file whose head promises more than fits is refused there. */
  readonly memoryCeiling?: number;
  /** Memory of the columns; a new one by default. */
  readonly arena?: Arena;
  /** Memory of the texts, if another thread is to read them. */
  readonly newBuffer?: NewBuffer;
}

/** Smallest text of a record: a digit and a comma per field. */
const MIN_BYTES_PER_FIELD = 2;
const MAX_KEY_BYTES = 256;
/** Small enough to stay in the cache of a core while its digits are read. */
const CHUNK_BYTES = 256 * 1024;

enum Top {
  Open,
  Key,
  InKey,
  Colon,
  Value,
  AfterValue,
  Closed,
}

/**
 * Memory for analysing a file of this many nodes and edges, in bytes, texts and Node itself not counted: the columns, and
 * the larger of what dominators take (five words a node at most, and one for every edge beyond the spanning tree) and what
 * answers do (six words a node). Measured: 550 said and 560 taken at 609 MB.
 */
function estimateBytes(nodeCount: number, edgeCount: number): number {
  const columns = nodeCount * 17 + edgeCount * 8;
  const dominators = nodeCount * 20 + Math.max(0, edgeCount - nodeCount) * 4;
  return columns + Math.max(dominators, nodeCount * 24);
}

/** Addresses that it takes, written or not: of 150 MB 0.67 times the columns' on top of them, and a third of that more for two. */
function addressBytes({ nodeCount, edgeCount }: Layout, threads: 1 | 2): number {
  return nodeCount * 17 + edgeCount * 12 + nodeCount * (threads === 1 ? 48 : 80);
}

/** A second thread has three words a node of its own (measured: 2.2). `textBytes` is what the file's texts take. */
export function hasRoomForTwo(layout: Layout, textBytes: number, memoryCeiling: number): boolean {
  const { nodeCount, edgeCount } = layout;
  const need = estimateBytes(nodeCount, edgeCount) + nodeCount * 12 + textBytes;
  return need <= memoryCeiling && addressBytes(layout, 2) <= ARENA_BYTES;
}

/** Takes the bytes of a heapSnapshot in chunks of any size and order of arrival; `end()` gives the columns. */
export class SnapshotReader {
  private top = Top.Open as Top;
  private key = '';
  private section: Section | undefined;
  private offset = 0;
  private head: Layout | undefined;
  private nodes: NodeSection | undefined;
  private edges: EdgeList | undefined;
  private edgesAreElsewhere = false;
  private locations: LocationSection | undefined;
  private strings: StringSection | undefined;

  private readonly kernel = Kernel.make();

  private readonly newBuffer: NewBuffer;
  /** Where the columns go. */
  readonly arena: Arena;

  constructor(private readonly options: ReaderOptions = {}) {
    this.newBuffer = options.newBuffer ?? ownBuffer;
    this.arena = options.arena ?? new Arena();
  }

  /** Known as soon as the head was read. */
  get layout(): Layout | undefined {
    return this.head;
  }

  /** Memory for chunks: what is read into it need not be copied. Elsewhere chunks may lie, too. */
  get chunk(): Uint8Array {
    return this.kernel?.input ?? new Uint8Array(CHUNK_BYTES);
  }

  /** Bytes taken so far. */
  get bytesRead(): number {
    return this.offset;
  }

  /**
   * The chunk may be reused by the caller afterwards: nothing of it is kept. Throws MalformedSnapshot. With `mayLeave` a
   * record at the end may not be taken (see `bytesRead`), and has to be given again with what follows.
   */
  write(bytes: Uint8Array, mayLeave = false): void {
    const base = this.offset;
    let position = 0;
    while (position < bytes.length) {
      const { section } = this;
      if (!section) position = this.between(bytes[position]!, position, base);
      else {
        position = section.consume(bytes, position, bytes.length, base, mayLeave);
        if (!section.done) break;
        this.leave(section, base + position);
      }
    }
    this.offset = base + position;
  }

  /** A byte between two sections: the punctuation of the outer object and its keys. Returns the next position. */
  private between(byte: number, position: number, base: number): number {
    if (this.top === Top.InKey) this.inKey(byte, base + position);
    else if (isSpace(byte)) return position + 1;
    else if (this.top === Top.Value) {
      this.section = this.enter(base + position);
      return position; // the section reads this byte itself
    } else this.punctuation(byte, base + position);
    return position + 1;
  }

  private punctuation(byte: number, offset: number): void {
    if (byte === 0x7b && this.top === Top.Open) this.top = Top.Key;
    else if (byte === 0x22 && this.top === Top.Key) {
      this.key = '';
      this.top = Top.InKey;
    } else if (byte === 0x3a && this.top === Top.Colon) this.top = Top.Value;
    else if (byte === 0x2c && this.top === Top.AfterValue) this.top = Top.Key;
    else if (byte === 0x7d && this.top === Top.AfterValue) this.top = Top.Closed;
    else throw new MalformedSnapshot(this.unexpected(byte), offset, 'the outer object');
  }

  private unexpected(byte: number): string {
    return this.top === Top.Open
      ? `not a heapSnapshot: it starts with ${describeByte(byte)}`
      : `unexpected ${describeByte(byte)}`;
  }

  private inKey(byte: number, offset: number): void {
    if (byte === 0x22) this.top = Top.Colon;
    else this.key += String.fromCharCode(byte);
    if (this.key.length > MAX_KEY_BYTES) throw new MalformedSnapshot('a key without end', offset, 'the outer object');
  }

  private enter(offset: number): Section {
    switch (this.key) {
      case 'snapshot':
        return new HeadSection();
      case 'nodes':
        this.nodes = once(
          this.nodes,
          'nodes',
          offset,
          () => new NodeSection(this.described(offset), this.kernel, this.arena),
        );
        return this.nodes;
      case 'edges':
        return this.enterEdges(offset);
      case 'strings':
        return this.enterStrings(offset);
      case 'locations':
        return this.enterLocations(offset);
      default:
        return new SkipSection(this.key);
    }
  }

  private enterStrings(offset: number): Section {
    const bytes = Math.max(0, (this.options.totalBytes ?? 0) - offset);
    if (this.head) this.checkRoom(this.head, offset, bytes);
    const { newBuffer, kernel } = this;
    this.strings = once(this.strings, 'strings', offset, () => new StringSection(newBuffer, kernel, bytes));
    return this.strings;
  }

  private enterEdges(offset: number): Section {
    const layout = this.described(offset);
    const columns = () => newEdgeColumns(layout, this.arena);
    const section = once(
      this.edges ?? (this.edgesAreElsewhere || undefined),
      'edges',
      offset,
      () => new EdgeSection(layout, this.kernel, columns()),
    );
    this.edges = section;
    return section;
  }

  /**
   * Takes the edges as somebody else reads them, whose list ends at the file's byte `end`: the next chunk begins there.
   * False when this is not the place where they begin.
   */
  skipEdges(end: number): boolean {
    if (this.top !== Top.Value || this.key !== 'edges' || this.section || this.edges) return false;
    this.edgesAreElsewhere = true;
    this.top = Top.AfterValue;
    this.offset = end;
    return true;
  }

  private enterLocations(offset: number): Section {
    const layout = this.described(offset);
    const { location } = layout;
    if (!location) return new SkipSection('locations');
    this.locations = once(this.locations, 'locations', offset, () => new LocationSection(layout, location, this.arena));
    return this.locations;
  }

  private described(offset: number): Layout {
    if (this.head) return this.head;
    throw new MalformedSnapshot('lists come before the description of their fields', offset, this.key);
  }

  private leave(section: Section, offset: number): void {
    if (section instanceof HeadSection) {
      this.head = readLayout(section.json, offset);
      this.checkRoom(this.head, offset);
    }
    this.section = undefined;
    this.top = Top.AfterValue;
  }

  /** At the head for what it promises; once more where the texts begin, whose size is known by then. */
  private checkRoom(layout: Layout, offset: number, textBytes = 0): void {
    const { nodeCount, edgeCount, node, edge } = layout;
    const { totalBytes, memoryCeiling } = this.options;
    const least = (nodeCount * node.width + edgeCount * edge.width) * MIN_BYTES_PER_FIELD;
    if (totalBytes !== undefined && least > totalBytes) {
      throw new MalformedSnapshot(
        `the head promises ${nodeCount} nodes and ${edgeCount} edges, which take at least ${least} bytes; the file has ${totalBytes}`,
        offset,
        'snapshot',
      );
    }
    const need = estimateBytes(nodeCount, edgeCount) + textBytes;
    const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
    if (addressBytes(layout, 1) > ARENA_BYTES) {
      const most = `more than the ${mib(ARENA_BYTES)} that lens can analyse at once`;
      throw new MalformedSnapshot(`${nodeCount} nodes and ${edgeCount} edges are ${most}`, offset, 'snapshot');
    }
    if (memoryCeiling !== undefined && need > memoryCeiling) {
      throw new MalformedSnapshot(
        `${nodeCount} nodes and ${edgeCount} edges need ${mib(need)} of memory; the ceiling is ${mib(memoryCeiling)}`,
        offset,
        'snapshot',
      );
    }
  }

  /** The file is over: checks that it is whole and agrees with itself. Throws MalformedSnapshot. */
  end(edges: EdgeList | undefined = this.edges): HeapFile {
    const { head: layout, nodes, strings } = this;
    if (this.top !== Top.Closed) this.fail(`the file ends too early`, this.section?.name ?? 'the outer object');
    if (!layout) return this.fail('there is no description of the fields', 'snapshot');
    if (!nodes) return this.fail('there is no list of nodes', 'nodes');
    if (!edges) return this.fail('there is no list of edges', 'edges');
    if (!strings) return this.fail('there is no list of texts', 'strings');
    this.checkCounts(layout, nodes, edges, strings);
    const { arena, locations } = this;
    const file = {
      layout,
      arena,
      nodeCount: layout.nodeCount,
      edgeCount: layout.edgeCount,
      root: layout.rootOrdinal,
      ...nodes.columns,
      wideSizes: nodes.wideSizes,
      ...edges.columns,
      wideNames: edges.wideNames,
      strings: strings.finish(),
      locations: locations?.finish() ?? noLocations(),
    };
    openFile(file);
    return file;
  }

  private checkCounts(layout: Layout, nodes: NodeSection, edges: EdgeList, strings: StringSection): void {
    if (layout.nodeCount === 0) this.fail('there are no nodes', 'nodes');
    if (nodes.count !== layout.nodeCount) this.fail(`${nodes.count} nodes of ${layout.nodeCount} promised`, 'nodes');
    if (edges.count !== layout.edgeCount) this.fail(`${edges.count} edges of ${layout.edgeCount} promised`, 'edges');
    if (nodes.claimedEdges !== layout.edgeCount) {
      this.fail(`the nodes claim ${nodes.claimedEdges} edges of ${layout.edgeCount}`, 'nodes');
    }
    if (nodes.maxNameIndex >= strings.count) this.fail(`a node is named by text ${nodes.maxNameIndex}`, 'strings');
    if (edges.maxNameIndex >= strings.count) this.fail(`an edge is named by text ${edges.maxNameIndex}`, 'strings');
  }

  private fail(problem: string, section: string): never {
    throw new MalformedSnapshot(problem, this.offset, section);
  }
}

function once<T>(existing: unknown, name: string, offset: number, create: () => T): T {
  if (existing !== undefined) throw new MalformedSnapshot(`a second list of ${name}`, offset, name);
  try {
    return create();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new MalformedSnapshot('not enough memory for as much as the head promises', offset, name);
  }
}
