import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { type HeapFile, MalformedSnapshot, type ReaderOptions, SnapshotReader } from '../../heap/index.js';
import { LensError } from '../../model/error.js';

const GZIP_CHUNK_BYTES = 256 * 1024;
const PROGRESS_EVERY_BYTES = 16 * 1024 * 1024;

export interface ReadOptions extends Pick<ReaderOptions, 'memoryCeiling'> {
  /** Told now and then how much of the file was read. May throw to stop. */
  readonly onBytes?: (read: number, of: number) => void;
}

/** Reads a `.heapsnapshot` or `.heapsnapshot.gz`. Throws LensError `file-unreadable` or `file-malformed` with the place. */
export async function readHeapFile(path: string, options: ReadOptions = {}): Promise<HeapFile> {
  const file = open(path);
  try {
    return file.isGzip ? await readGzip(path, file.bytes, options) : readPlain(file.descriptor, file.bytes, options);
  } catch (error) {
    throw told(path, error);
  } finally {
    closeSync(file.descriptor);
  }
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

function readPlain(descriptor: number, bytes: number, options: ReadOptions): HeapFile {
  const reader = new SnapshotReader({ ...options, totalBytes: bytes });
  const buffer = reader.chunk;
  let told = 0;
  for (;;) {
    const length = readSync(descriptor, buffer);
    if (length === 0) return reader.end();
    reader.write(length === buffer.length ? buffer : buffer.subarray(0, length));
    if (reader.bytesRead - told < PROGRESS_EVERY_BYTES) continue;
    told = reader.bytesRead;
    options.onBytes?.(told, bytes);
  }
}

async function readGzip(path: string, bytes: number, options: ReadOptions): Promise<HeapFile> {
  const reader = new SnapshotReader(options);
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
  if (/ends too early|the file has \d+/.test(problem))
    return 'The file is cut off: was the process killed while writing, or the copy broken?';
  if (/ceiling/.test(problem)) return 'Give more with --max-memory, or use a machine with more memory.';
  return 'Is it a heapSnapshot as V8 writes it (v8.writeHeapSnapshot, DevTools)?';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
