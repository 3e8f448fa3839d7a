import type { Arena } from './arena.js';
import type { Layout } from './parse/header.js';
import type { ScriptPosition } from './parse/locations.js';
import type { Strings } from './parse/strings.js';

/**
 * A heapSnapshot as columns. Nodes are ordinals 0..nodeCount-1; the edges of node v are firstEdge[v] .. firstEdge[v + 1] - 1.
 */
export interface HeapFile {
  readonly layout: Layout;
  /** Where the columns lie. */
  readonly arena: Arena;
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly root: number;
  /** Type in the low five bits, detachedness (0 unknown, 1 attached, 2 detached) above. */
  readonly kind: Uint8Array;
  readonly nameIndex: Uint32Array;
  readonly id: Uint32Array;
  /** Bytes; 2^32 - 1 means: see `wideSizes`. */
  readonly selfSize: Uint32Array;
  wideSizes: Map<number, number>;
  readonly firstEdge: Uint32Array;
  /** Type in the upper three bits, name or index below (all ones: see `wideNames`). */
  readonly label: Uint32Array;
  /** Ordinal, or inverted (~ordinal) where the edge does not retain, once `markEssentialEdges` has run. */
  readonly target: Int32Array;
  readonly wideNames: ReadonlyMap<number, number>;
  readonly strings: Strings;
  readonly locations: Locations;
}

/** Records in the file's order: node `ordinal[i]` was written at `positions[position[i]]`. */
export interface Locations {
  readonly count: number;
  readonly ordinal: Uint32Array;
  readonly position: Uint32Array;
  readonly positions: readonly ScriptPosition[];
}

/** Lets the loops of this thread work on the file. */
export function openFile(file: HeapFile): void {
  file.arena.open(file, text => {
    const number = Number.parseInt(file.strings.text(text), 10);
    return Number.isNaN(number) ? -1 : number;
  });
}
