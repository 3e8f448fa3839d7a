import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doHeapJob } from '../../src/commands/heap/job.js';
import { analyse } from '../../src/heap/analyse.js';
import { Pool } from '../../src/heap/analysis/pool.js';
import { tablesOf } from '../../src/heap/answers/tables.js';
import { Arena } from '../../src/heap/arena.js';
import {
  BesideAnalysis,
  findEdges,
  joinEdges,
  newClaim,
  readFromBack,
  readFromFront,
  type SecondThread,
  SnapshotReader,
} from '../../src/heap/index.js';
import { newEdgeColumns } from '../../src/heap/parse/edges.js';
import { sharedBuffer } from '../../src/heap/parse/new-buffer.js';
import { parse, snapshotsOf } from './files.js';

/** More than 32 MiB: smaller files are read by one thread. */
const PROGRAM = `
class Session { constructor(id) { this.id = id; this.onDone = () => id; this.tags = ['a' + id % 9, { id }]; } }
const sessions = new Map(); for (let i = 0; i < 28000; i++) sessions.set('s' + i, new Session(i));
const weak = new WeakMap(); for (const s of sessions.values()) weak.set(s, [s.id]);
globalThis.all = { sessions, weak, rows: Array.from({ length: 40000 }, (_, id) => ({ id, title: 'row' + id })) };
snapshot();`;

let bytes: Buffer;
let folder: string;
beforeAll(() => {
  bytes = snapshotsOf(PROGRAM)[0]!;
  folder = mkdtempSync(join(tmpdir(), 'lens-two-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readAt = (offset: number, length: number) => bytes.subarray(offset, offset + length);

function layoutOf() {
  const reader = new SnapshotReader();
  reader.write(bytes.subarray(0, 65_536));
  return reader.layout!;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array | Int32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

test('the list of edges is found without reading what is before it, and read by itself', () => {
  const layout = layoutOf();
  const borders = findEdges(readAt, bytes.length, layout)!;
  const from = bytes.indexOf('"edges":[') + '"edges":'.length;
  expect(borders).toEqual({ from, to: bytes.indexOf(']', from) + 1 });
  const fill = (chunk: Uint8Array, offset: number) => bytes.copy(chunk, 0, offset, offset + chunk.length);
  const shared = () => ({ layout, columns: newEdgeColumns(layout, new Arena()), borders, taken: newClaim() });
  const alone = shared();
  const edges = joinEdges(alone, readFromFront(alone, fill))!;
  const reader = new SnapshotReader();
  reader.write(bytes.subarray(0, borders.from));
  expect(reader.skipEdges(borders.to)).toBe(true);
  reader.write(bytes.subarray(borders.to));
  const whole = parse(bytes, [1 << 20]);
  const file = reader.end(edges);
  for (const column of ['label', 'target', 'firstEdge', 'kind', 'id'] as const) {
    expect(Buffer.compare(bytesOf(file[column]), bytesOf(whole[column]))).toBe(0);
  }
  const wrong = { ...shared(), borders: { from, to: borders.to - 9 } };
  expect(joinEdges(wrong, readFromFront(wrong, fill))).toBeUndefined();
});

test.each([0, 1, 7, 1000])('with %i of its pieces read from the back, the list is the same', pieces => {
  const layout = layoutOf();
  const borders = findEdges(readAt, bytes.length, layout)!;
  const taken = newClaim();
  const fill = (chunk: Uint8Array, offset: number) => bytes.copy(chunk, 0, offset, offset + chunk.length);
  const arena = new Arena();
  const shared = { layout, columns: newEdgeColumns(layout, arena), borders, taken };
  // The counter goes back to where it was, as if the others had been read by somebody else meanwhile.
  const size = Math.ceil((borders.to - borders.from) / (256 * 1024 - 128));
  const few = Math.min(pieces, size);
  taken[0] = size - few;
  const back = readFromBack(shared, fill, arena);
  taken[0] = few;
  const edges = joinEdges(shared, back, readFromFront(shared, fill))!;
  const whole = parse(bytes, [1 << 20]);
  for (const column of ['label', 'target'] as const) {
    expect(Buffer.compare(bytesOf(edges.columns[column]), bytesOf(whole[column]))).toBe(0);
  }
});

test.each(['before', 'after', 'never'])('what two threads find is what one finds, with the second one %s', when => {
  let beside: BesideAnalysis | undefined;
  let start: () => BesideAnalysis;
  let sums: SecondThread['endSums'];
  const second: SecondThread = {
    begin: (file, facts, distances) => {
      start = () => new BesideAnalysis(file, facts, distances);
      if (when !== 'before') return;
      beside = start();
      beside.result();
    },
    endSizes: () => {
      beside ??= start();
      return beside.wideSizes;
    },
    end: () => (when === 'never' ? undefined : beside?.result()),
    beginSums: request => {
      sums = () => (when === 'never' ? undefined : beside?.sums(request));
    },
    endSums: () => sums(),
    beginTables: () => undefined,
    endTables: () => beside?.tables(),
  };
  const reader = new SnapshotReader({ newBuffer: sharedBuffer });
  reader.write(bytes);
  const [one, two] = [analyse(parse(bytes, [1 << 20])), analyse(reader.end(), { second })];
  for (let node = 0; node < one.file.nodeCount; node++) {
    const facts = ({ retained, distance, immediate, classes }: typeof one) =>
      `${retained[node]} ${distance[node]} ${immediate[node]} ${classes.list[classes.of[node]!]!.name}`;
    if (facts(one) !== facts(two)) expect(facts(two)).toBe(facts(one));
  }
  expect(two.aggregates).toEqual(one.aggregates);
  expect(two.tables).toEqual(tablesOf({ ...one, scratch: new Pool(one.file.nodeCount + 2, one.file.arena) }));
});

const lens = (file: string) =>
  spawnSync(process.execPath, ['bin/lens.js', 'heap', file, '--json'], { encoding: 'utf8', maxBuffer: 2 ** 28 });

test('the command, with two threads, says what one thread says', async () => {
  const file = join(folder, 'a.heapsnapshot');
  writeFileSync(file, bytes);
  const question = { ask: 'summary' } as const;
  const result = await doHeapJob({ kind: 'question', path: file, question, cwd: process.cwd() });
  if (result.kind !== 'question' || result.answer.ask !== 'summary') throw new Error('no summary');
  const said = JSON.parse(lens(file).stdout);
  expect(said.suspects ?? said.summary?.suspects).toEqual(JSON.parse(JSON.stringify(result.answer.summary.suspects)));
});

test.each([
  ['cut in its edges', (whole: Buffer) => whole.subarray(0, whole.length >> 1)],
  ['with a letter among its edges', (whole: Buffer) => broken(whole, '"edges":[', 'x')],
  ['with a bracket among its edges', (whole: Buffer) => broken(whole, '"edges":[', ']')],
  ['with a letter among its nodes', (whole: Buffer) => broken(whole, '"nodes":[', 'x')],
])('a file %s is refused with the same words', async (_, change) => {
  const file = join(folder, 'broken.heapsnapshot');
  writeFileSync(file, change(bytes));
  const question = { ask: 'summary' } as const;
  const job = doHeapJob({ kind: 'question', path: file, question, cwd: process.cwd() });
  const message = await job.then(
    () => 'read',
    error => error.message,
  );
  const run = lens(file);
  expect(run.status).toBe(2);
  expect(run.stderr).toContain(message);
});

function broken(whole: Buffer, section: string, char: string): Buffer {
  const copy = Buffer.from(whole);
  copy[copy.indexOf(section) + 3_000_000] = char.charCodeAt(0);
  return copy;
}
