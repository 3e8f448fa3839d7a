import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import {
  type Arena,
  findEdges,
  type HeapFile,
  hasRoomForTwo,
  joinEdges,
  MalformedSnapshot,
  newClaim,
  newEdgeColumns,
  readFromBack,
  SnapshotReader,
  sharedBuffer,
} from '../../heap/index.js';
import { LensError } from '../../model/error.js';
import type { SecondCore } from './second-thread.js';

const GZIP_CHUNK_BYTES = 256 * 1024;
const PROGRESS_EVERY_BYTES = 16 * 1024 * 1024;

export interface ReadOptions {
  /** Memory that reading and analysing may take, in bytes. */
  readonly memoryCeiling: number;
  /** Told now and then how much of the file was read. May throw to stop. */
  readonly onBytes?: (read: number, of: number) => void;
  /** Reads the edges, where there is room for what it needs. */
  readonly second?: SecondCore | undefined;
  /** Memory of the columns; whatever was in it is gone. */
  readonly arena: Arena;
}

/** Reads a `.heapsnapshot` or `.heapsnapshot.gz`. Throws LensError `file-unreadable` or `file-malformed` with the place. */
export async function readHeapFile(path: string, options: ReadOptions): Promise<HeapFile> {
  const file = open(path);
  try {
    if (file.isGzip) return await readGzip(path, file.bytes, options);
    return readBeside(path, file, options) ?? readPlain(file, options);
  } catch (error) {
    throw told(path, error);
  } finally {
    closeSync(file.descriptor);
  }
}

interface Opened {
  readonly descriptor: number;
  readonly bytes: number;
}

function open(path: string): { descriptor: number; bytes: number; isGzip: boolean } {
  try {
    const descriptor = openSync(path, 'r');
    const head = new Uint8Array(2);
    readSync(descriptor, head, 0, 2, 0);
    return { descriptor, bytes: fstatSync(descriptor).size, isGzip: head[0] === 0x1f && head[1] === 0x8b };
  } catch (cause) {
    throw new LensError(
      'file-unreadable',
      `${path} can't be read: ${messageOf(cause)}.`,
      'Give a .heapsnapshot file.',
      { cause },
    );
  }
}

function readPlain(file: Opened, options: ReadOptions): HeapFile {
  const reader = readerOf(file, options);
  feed(reader, file, Number.POSITIVE_INFINITY, options);
  return reader.end();
}

/** The buffers of a file that a second thread shall see are shared from the start. */
function readerOf({ bytes }: Opened, { memoryCeiling, second, arena }: ReadOptions): SnapshotReader {
  arena.clear();
  return new SnapshotReader({ memoryCeiling, totalBytes: bytes, arena, ...(second && { newBuffer: sharedBuffer }) });
}

/** Gives the reader the file from where it is up to an offset. */
function feed(reader: SnapshotReader, { descriptor, bytes }: Opened, to: number, { onBytes }: ReadOptions): void {
  const { chunk } = reader;
  let told = reader.bytesRead;
  while (reader.bytesRead < to) {
    const wanted = Math.min(chunk.length, to - reader.bytesRead);
    const length = readSync(descriptor, chunk, 0, wanted, reader.bytesRead);
    if (length === 0) return;
    reader.write(chunk.subarray(0, length), length === chunk.length && reader.bytesRead + length < to);
    if (reader.bytesRead - told < PROGRESS_EVERY_BYTES) continue;
    told = reader.bytesRead;
    onBytes?.(told, bytes);
  }
}

/**
 * Reads a file while the second thread reads its edges, and of those what is left then. Undefined for whatever is not as it was expected: the file is then
 * read in order, and an error says where it is.
 */
function readBeside(path: string, file: Opened, options: ReadOptions): HeapFile | undefined {
  const { second, memoryCeiling } = options;
  if (!second) return undefined;
  const reader = readerOf(file, options);
  let asked = false;
  try {
    feed(reader, file, reader.chunk.length, options);
    const { layout } = reader;
    const borders = layout && findEdges(readAt(file), file.bytes, layout);
    if (!borders || borders.from < reader.bytesRead || !hasRoomForTwo(layout, file.bytes - borders.to, memoryCeiling))
      return undefined;
    const shared = { layout, borders, columns: newEdgeColumns(layout, reader.arena), taken: newClaim() };
    second.beginEdges({ path, ...shared });
    asked = true;
    feed(reader, file, borders.from, options);
    if (!reader.skipEdges(borders.to)) return undefined;
    feed(reader, file, file.bytes, options);
    const back = readFromBack(
      shared,
      (chunk, offset) => readSync(file.descriptor, chunk, 0, chunk.length, offset),
      reader.arena,
    );
    asked = false;
    const edges = joinEdges(shared, back, second.endEdges());
    return edges && reader.end(edges);
  } catch (error) {
    if (error instanceof MalformedSnapshot) return undefined;
    throw error;
  } finally {
    if (asked) second.endEdges();
  }
}

function readAt({ descriptor }: Opened): (offset: number, length: number) => Uint8Array {
  return (offset, length) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
  };
}

async function readGzip(path: string, bytes: number, options: ReadOptions): Promise<HeapFile> {
  const { memoryCeiling, second, arena } = options;
  arena.clear();
  const reader = new SnapshotReader({ memoryCeiling, arena, ...(second && { newBuffer: sharedBuffer }) });
  const source = createReadStream(path, { highWaterMark: GZIP_CHUNK_BYTES });
  const unzipped = createGunzip({ chunkSize: GZIP_CHUNK_BYTES });
  source.on('error', error => unzipped.destroy(error));
  source.pipe(unzipped);
  let told = 0;
  try {
    for await (const chunk of unzipped as AsyncIterable<Uint8Array>) {
      reader.write(chunk);
      if (source.bytesRead - told < PROGRESS_EVERY_BYTES) continue;
      told = source.bytesRead;
      options.onBytes?.(told, bytes);
    }
  } catch (error) {
    throw brokenGzip(path, reader.bytesRead, error);
  } finally {
    source.destroy();
  }
  return reader.end();
}

/** zlib says what is wrong, but not where. */
function brokenGzip(path: string, unpacked: number, error: unknown): unknown {
  if (!codeOf(error).startsWith('Z_')) return error;
  return new LensError(
    'file-malformed',
    `${path} can't be unpacked beyond its first ${unpacked} bytes: ${messageOf(error)}.`,
    'Was it copied as a whole?',
    { cause: error },
  );
}

function told(path: string, error: unknown): unknown {
  if (error instanceof LensError) return error;
  if (error instanceof MalformedSnapshot) {
    return new LensError('file-malformed', `${path}: ${error.message}.`, hintOf(error), { cause: error });
  }
  if (!/^E[A-Z]+$/.test(codeOf(error))) return error;
  const what = codeOf(error) === 'EISDIR' ? `${path} is a folder.` : `${path} can't be read: ${messageOf(error)}.`;
  return new LensError('file-unreadable', what, 'Give a .heapsnapshot file.', { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function hintOf({ problem }: MalformedSnapshot): string {
  if (/analyse at once/.test(problem)) return 'Take it earlier, while the heap is smaller: the holder is the same.';
  if (/ends too early|the file has \d+/.test(problem))
    return 'The file is cut off: was the process killed while writing, or the copy broken?';
  if (/ceiling/.test(problem)) return 'Give more with --max-memory, or use a machine with more memory.';
  return 'Is it a heapSnapshot as V8 writes it (v8.writeHeapSnapshot, DevTools)?';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
