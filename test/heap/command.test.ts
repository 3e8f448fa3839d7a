import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doHeapJob, type HeapJob } from '../../src/commands/heap/job.js';
import { runHeapJob } from '../../src/commands/heap/run-job.js';
import { answerText, differenceText } from '../../src/commands/heap/text.js';
import { type HeapQuestion, HeapView } from '../../src/heap/index.js';
import { LensError } from '../../src/model/error.js';
import { heapOf, runOf } from './files.js';

/** Bundled before the tests run. */
const LENS = new URL('../../bin/lens.js', import.meta.url).pathname;
const PROGRAM = `const { writeHeapSnapshot } = require('node:v8');
class Session { constructor(id) { this.id = id; this.token = 'same token'.repeat(1) + id; } }
// a line of its own
const sessions = new Map();
const open = id => sessions.set('s' + id, new Session(id));
const names = Array.from({ length: 500 }, () => Buffer.from('a text that is there five hundred times').toString());
class Shared {} const left = [new Shared()]; const right = [left[0]];
for (let id = 0; id < 8000; id++) open(id); writeHeapSnapshot('first.heapsnapshot');
for (let id = 8000; id < 12000; id++) open(id); writeHeapSnapshot('second.heapsnapshot');
for (let id = 12000; id < 15000; id++) open(id); writeHeapSnapshot('third.heapsnapshot'); names.length;
setTimeout(() => left.length + right.length);
`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-heap-command-'));
  writeFileSync(join(folder, 'store.cjs'), PROGRAM);
  runOf('store.cjs', folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, `${name}.heapsnapshot`);

async function ask(question: HeapQuestion, path = file('first')) {
  const result = await doHeapJob({ kind: 'question', path, question, cwd: folder });
  if (result.kind !== 'question') throw new Error('not a question');
  return result.answer;
}

async function text(question: HeapQuestion, path = file('first')): Promise<string> {
  return answerText(await ask(question, path), { path, cwd: folder });
}

test('the summary names the holder, its variable and the line that declares it', async () => {
  const summary = await text({ ask: 'summary' });
  expect(summary).toContain('Map with 8 000 × Session (store.cjs:2)');
  expect(summary).toContain('`sessions` in store.cjs → Map');
  expect(summary).toContain('at store.cjs:4');
});

test('the summary is small enough to be read as a whole', async () => {
  expect((await text({ ask: 'summary' })).length).toBeLessThan(6000);
  expect(JSON.stringify(await ask({ ask: 'summary' })).length).toBeLessThan(60_000);
});

test('a gzipped file is read like a plain one', async () => {
  const zipped = `${file('first')}.gz`;
  writeFileSync(zipped, gzipSync(readFileSync(file('first'))));
  expect(await ask({ ask: 'summary' }, zipped)).toEqual(await ask({ ask: 'summary' }));
});

test('where WebAssembly is switched off, it says so', () => {
  const run = spawnSync(process.execPath, ['--jitless', LENS, 'heap', file('first')], { encoding: 'utf8' });
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('Run lens without --jitless');
});

describe('drill-downs', () => {
  test('classes come in pages', async () => {
    const first = await text({ ask: 'classes', offset: 0, limit: 5 });
    expect(first).toMatch(/1–5 of \d+; next page: --offset 5/);
    expect(await text({ ask: 'classes', offset: 100_000, limit: 5 })).toContain('nothing (of');
  });

  test('equal texts are counted', async () => {
    expect(await text({ ask: 'strings', offset: 0, limit: 50 })).toMatch(
      / 50[01] {2}"a text that is there five hundred times"/,
    );
  });

  test('retainers, dominators and the path of an object by its id', async () => {
    const summary = await ask({ ask: 'summary' });
    const id = summary.ask === 'summary' ? summary.summary.suspects[0]!.children[0]!.sampleId : 0;
    expect(await text({ ask: 'paths', id, offset: 0, limit: 5 })).toMatch(
      /^@\d+ Session: .*\n`sessions` in store\.cjs\n {2}→ Session/,
    );
    expect(await text({ ask: 'retainers', id, offset: 0, limit: 3 })).toMatch(/internal \d+/);
    expect(await text({ ask: 'dominators', id, offset: 0, limit: 3 })).toContain('string)');
    expect(await text({ ask: 'dominators', offset: 0, limit: 3 })).toContain('next page: --offset 3');
    expect(await text({ ask: 'paths', id: 999_999_999, offset: 0, limit: 5 })).toBe('No object has the id 999999999.');
  });
});

test('an object that several hold is told over each of them, page by page', async () => {
  const view = new HeapView(heapOf(readFileSync(file('first'))));
  const shared = Array.from({ length: view.nodeCount }, (_, node) => node).find(
    node =>
      view.type(node) === 'object' && view.name(node) === 'Shared' && view.className(view.dominator(node)) !== 'Object',
  )!;
  const answer = await ask({ ask: 'paths', id: view.id(shared), offset: 0, limit: 5 });
  if (answer.ask !== 'paths') throw new Error('no paths');
  const all = [answer.path, ...answer.others.rows].map(path => path.text);
  expect(all).toHaveLength(2);
  expect(all.join('\n')).toMatch(/`left` in .*store\.cjs/);
  expect(all.join('\n')).toMatch(/`right` in .*store\.cjs/);
  const next = await ask({ ask: 'paths', id: view.id(shared), offset: 1, limit: 5 });
  expect(next).toMatchObject({ others: { total: 1, offset: 1, rows: [] } });
});

test('three files of one process: what grew from each to the next, and by which objects', async () => {
  const paths = ['first', 'second', 'third'].map(file);
  const result = await doHeapJob({ kind: 'difference', paths, cwd: folder });
  const said = result.kind === 'difference' ? differenceText(result.difference, { cwd: folder }) : '';
  expect(said).toMatch(/1\. \+.* → .* → .*@\d+\n {4}Map, new: 7 000 × Session \(store\.cjs:2\)/);
  expect(said).toContain('at store.cjs:4');
});

describe('as a command of its own', () => {
  const lens = (...args: string[]) =>
    spawnSync(process.execPath, [LENS, 'heap', ...args], { cwd: folder, encoding: 'utf8' });

  test('JSON goes to stdout alone, and has the place of each suspect', () => {
    const { stdout, status } = lens(file('first'), '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout).suspects[0]).toMatchObject({ kind: 'map', place: { file: 'store.cjs', line: 4 } });
  });

  test('a file that is no good ends with 2 and a sentence that says where', () => {
    const whole = readFileSync(file('first'));
    const zipped = gzipSync(whole);
    const bad: [string, Uint8Array, RegExp][] = [
      ['html', Buffer.from('<html>'), /starts with "<" \(byte 0/],
      ['half', whole.subarray(0, whole.length / 2), /ends too early \(byte \d+, in edges\).\n.*cut off/],
      ['half.gz', zipped.subarray(0, zipped.length / 2), /beyond its first \d+ bytes/],
    ];
    for (const [name, bytes, where] of bad) {
      writeFileSync(join(folder, name), bytes);
      const { status, stdout, stderr } = lens(name);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(where);
    }
  });

  test('lines fit a terminal of 80 columns', () => {
    const { stdout } = lens(file('first'));
    const long = stdout.split('\n').filter(line => line.length > 80 && !line.includes('.heapsnapshot'));
    expect(long).toEqual([]);
  });

  test('what it can not do is told on stderr, with exit code 2', () => {
    expect(lens(file('first'), 'nonsense')).toMatchObject({ status: 2, stdout: '' });
    expect(lens('diff', file('first'))).toMatchObject({ status: 2, stdout: '' });
    expect(lens(join(folder, 'nowhere')).stderr).toContain("nowhere can't be read");
    expect(lens(file('first'), 'paths', '123456789').status).toBe(2);
  });
});

test('a job that is aborted ends with the reason', async () => {
  const stop = new AbortController();
  const job: HeapJob = { kind: 'question', path: file('first'), question: { ask: 'summary' }, cwd: folder };
  const ended = runHeapJob(job, { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
  await expect(ended).rejects.toThrow('enough');
});

describe('a file that is no good', () => {
  const refuse = async (path: string, job: Partial<HeapJob> = {}) => {
    const error = await ask2(path, job).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LensError);
    return error as LensError; // checked in the line above
  };
  const ask2 = (path: string, job: Partial<HeapJob>) =>
    doHeapJob({ kind: 'question', path, question: { ask: 'summary' }, cwd: folder, ...(job as object) });

  test('is missing, cut off, no heapSnapshot, or a gzip that is cut off', async () => {
    expect(await refuse(join(folder, 'nowhere'))).toMatchObject({ code: 'file-unreadable' });
    const whole = readFileSync(file('first'));
    writeFileSync(join(folder, 'cut'), whole.subarray(0, whole.length / 2));
    expect((await refuse(join(folder, 'cut'))).message).toMatch(/ends too early \(byte \d+, in edges\)/);
    expect((await refuse(join(folder, 'store.cjs'))).message).toContain('it starts with "c" (byte 0');
    const zipped = gzipSync(whole);
    writeFileSync(join(folder, 'cut.gz'), zipped.subarray(0, zipped.length / 2));
    expect((await refuse(join(folder, 'cut.gz'))).message).toMatch(
      /can't be unpacked beyond its first \d+ bytes: unexpected end/,
    );
    expect(await refuse(folder)).toMatchObject({ code: 'file-unreadable' });
  });

  test('needs more memory than the ceiling', async () => {
    const error = await refuse(file('first'), { memoryCeiling: 2 ** 20 });
    expect(error.message).toContain('the ceiling is 1 MiB');
    expect(error.hint).toContain('--max-memory');
  });
});
