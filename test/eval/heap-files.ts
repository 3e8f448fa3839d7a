// What `lens heap diff A B C` says of the programs of the evaluation, from three heapSnapshots of each and nothing else.
// npx tsx test/eval/heap-files.ts [--only NAME,…] [--node 22]     needs `npm run build`
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { heapSnapshotCollector } from '../../src/collectors/heap-snapshot.js';
import { attach } from '../../src/inspector/attach.js';
import { context } from '../collect-context.js';
import type { Case } from './case.js';
import { CASES } from './cases.js';
import { NODE_VERSIONS, type NodeVersion, raise } from './stage.js';
import { isMarked, isMarkedFile, type MarkedLine, readMarks } from './truth.js';

const LENS = new URL('../../bin/lens.js', import.meta.url).pathname;
const EVERY_MS = 6000;
const FILES = 3;
const WRITE_LIMIT_MS = 60_000;
const AT_ONCE = 3;

const { values } = parseArgs({ options: { only: { type: 'string' }, node: { type: 'string', default: '22' } } });
const version = NODE_VERSIONS.find(each => String(each) === values.node) ?? 22;
const wanted = values.only?.split(',');
const chosen = CASES.filter(({ app, truths }) => {
  const isLeak = truths.some(truth => truth.classes.some(name => name.startsWith('memory.leak')));
  return wanted ? wanted.includes(app) : isLeak || truths.length === 0;
});

interface Grown {
  readonly class: string;
  readonly grownBytes: number;
  readonly path: { readonly text: string };
  readonly place?: { readonly file: string; readonly line: number };
  readonly bound?: { readonly file: string; readonly line: number };
  readonly levels?: true;
  readonly filling?: object;
  readonly slots?: object;
  readonly keys?: object;
}

const sums = { sick: 0, line: 0, file: 0, healthy: 0, silent: 0 };
const queue = [...chosen];
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(
  `sick: line ${sums.line}/${sums.sick}, file ${sums.file}/${sums.sick}; healthy: no suspect in ${sums.silent}/${sums.healthy}`,
);

async function work(): Promise<void> {
  for (let one = queue.shift(); one; one = queue.shift()) {
    const line = await tell(one, version).catch((error: unknown) => `could not be staged: ${error}`);
    console.log(`${one.app.padEnd(14)} ${line}`);
  }
}

async function tell(one: Case, node: NodeVersion): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'lens-heap-files-'));
  try {
    const { grown, workers, marks } = await ofMain(one, node, folder);
    const found = grown.length === 0 && workers > 0 ? await ofThreads(one, node, folder) : grown;
    return judged(one, found, marks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Told {
  readonly grown: readonly Grown[];
  readonly workers: number;
  readonly marks: readonly MarkedLine[];
}

async function ofMain(one: Case, node: NodeVersion, folder: string): Promise<Told> {
  const options = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;
  await using stage = await raise(one.app, node, { env: { NODE_OPTIONS: options } });
  for (let count = 1; count <= FILES; count++) {
    await sleep(EVERY_MS);
    process.kill(stage.pid, 'SIGUSR2');
    await written(folder, count);
  }
  return { ...differenceOf(filesIn(folder)), marks: readMarks(stage.folder) };
}

/** Node's signal reaches the main thread only: of worker threads lens takes the files, as `--save-heapsnapshot` does. */
async function ofThreads(one: Case, node: NodeVersion, folder: string): Promise<readonly Grown[]> {
  await using stage = await raise(one.app, node, { apart: false });
  const session = await attach({ pid: stage.pid });
  const paths = new Map<string, string[]>();
  try {
    for (let count = 1; count <= FILES; count++) {
      await sleep(EVERY_MS);
      for (const worker of await session.workers()) {
        const params = { directory: folder, name: `thread-${worker.workerId}-${count}` };
        const { data } = await heapSnapshotCollector.collect(worker, params, context);
        paths.set(worker.workerId, [...(paths.get(worker.workerId) ?? []), data.path]);
      }
    }
  } finally {
    await session.detach();
  }
  const whole = [...paths.values()].filter(files => files.length === FILES);
  return whole.flatMap(files => differenceOf(files).grown).sort((a, b) => b.grownBytes - a.grownBytes);
}

function filesIn(folder: string): string[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.heapsnapshot'));
  return names.sort().map(name => join(folder, name));
}

/** The file is whole when it can be read. */
async function written(folder: string, count: number): Promise<void> {
  for (const until = Date.now() + WRITE_LIMIT_MS; Date.now() < until; await sleep(300)) {
    const last = filesIn(folder)[count - 1];
    if (last && endOf(last).includes(']}')) return;
  }
  throw new Error('no heapSnapshot was written');
}

function endOf(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(2);
    readSync(descriptor, bytes, 0, 2, Math.max(0, fstatSync(descriptor).size - 2));
    return bytes.toString();
  } finally {
    closeSync(descriptor);
  }
}

function differenceOf(files: readonly string[]): Omit<Told, 'marks'> {
  const run = spawnSync(process.execPath, [LENS, 'heap', 'diff', ...files, '--json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Omit<Told, 'marks'>; // as docs/heap.md says
}

function judged(one: Case, grown: readonly Grown[], marks: readonly MarkedLine[]): string {
  const first = grown.find(one => !one.bound && !one.levels && !one.filling && !one.slots && !one.keys); // the others may be caches that fill
  const said = first
    ? `${(first.grownBytes / 1024).toFixed(0)} kB  ${first.path.text}  ${first.place ? `${first.place.file}:${first.place.line}` : '(no place)'}`
    : grown.length === 0
      ? 'nothing grew'
      : `may be filling: ${grown[0]?.path.text}`;
  if (one.truths.length === 0) {
    sums.healthy++;
    if (!first) sums.silent++;
    return `healthy  ${said}`;
  }
  sums.sick++;
  const place = first?.place;
  const isLine = place !== undefined && isMarked(marks, 'culprit', place);
  const isFile = place !== undefined && isMarkedFile(marks, 'culprit', place.file);
  if (isLine) sums.line++;
  if (isFile) sums.file++;
  return `${isLine ? 'line ' : isFile ? 'file ' : 'WRONG'}    ${said}`;
}
