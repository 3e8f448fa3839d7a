import type { CodeLocation } from '../location.js';

export interface HeapSnapshotParams {
  /** Folder the file goes to; made if missing. Default: the run's folder of evidence. */
  readonly directory?: string;
  /** File name without the ending; `.heapsnapshot` is added. Default `heap-` and the moment. */
  readonly name?: string;
  /** Watch for so long first, so that objects newer than its beginning can be told from older ones. */
  readonly growthSeconds?: number;
}

export interface SavedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A V8 heapSnapshot on disk, as DevTools opens it. The analysis reads it from there. */
export interface HeapSnapshotFile extends SavedFile {
  /** From the request to the last byte; the target stood still for nearly all of it. */
  readonly tookMs: number;
  /** How objects newer than the beginning of the watch are told; absent when nothing was watched. */
  readonly dated?: HeapDating;
  /** What the analysis says about the file; absent until it was read. */
  readonly reading?: HeapReading;
}

/** V8 numbers objects as it sees them: either it was told to look often, or a first heapSnapshot made it look once. */
export type HeapDating =
  | { readonly by: 'tracking'; readonly seconds: number; readonly lastOldId: number }
  | { readonly by: 'two heapSnapshots'; readonly seconds: number; readonly earlier: SavedFile };

/** The engine's answer, small enough for a model to read. Bytes are retained sizes unless they say otherwise. */
export interface HeapReading {
  readonly totalBytes: number;
  readonly objects: number;
  /** Who holds much, largest first: one moment can't tell a leak from a full cache. */
  readonly suspects: readonly HeapHolder[];
  /** What gained while it was watched; absent when nothing was. */
  readonly growth?: HeapGrowth;
}

export interface HeapGrowth {
  readonly seconds: number;
  readonly by: HeapDating['by'];
  /** Self sizes of the objects that are new and of those that went. Under tracking nobody knows what went. */
  readonly addedBytes: number;
  readonly removedBytes: number;
  readonly holders: readonly GrownHeapHolder[];
}

/** An object of the program that keeps many or much. */
export interface HeapHolder {
  /** map, array, listeners, timers, promises, function, scope … */
  readonly kind: string;
  readonly id: number;
  readonly class: string;
  readonly retainedBytes: number;
  /** Of the whole heap. */
  readonly share: number;
  /** As a person would say it: `sessions` in src/store.ts → Map. */
  readonly path: string;
  /** The same in steps, outermost first. */
  readonly via: readonly string[];
  readonly variable?: string;
  /** What it mostly holds; of a grown one: what is new. */
  readonly content?: { readonly what: string; readonly count: number; readonly bytes: number };
  /** Where it is declared, else the nearest place of the program. */
  readonly place?: CodeLocation;
}

export interface GrownHeapHolder extends HeapHolder {
  readonly grownBytes: number;
  readonly newChildren: number;
}
