export interface HeapSnapshotParams {
  /** Folder the file goes to; made if missing. */
  readonly directory: string;
  /** File name without the ending; `.heapsnapshot` is added. Default `heap-` and the moment. */
  readonly name?: string;
}

/** A V8 heapSnapshot on disk, as DevTools opens it. The analysis reads it from there. */
export interface HeapSnapshotFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** From the request to the last byte; the target stood still for nearly all of it. */
  readonly tookMs: number;
}
