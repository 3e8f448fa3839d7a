import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.js';
import { launch } from '../launch.js';

const LENS = resolve(import.meta.dirname, '../../bin/lens.js');
const home = mkdtempSync(join(tmpdir(), 'lens-threads-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A main thread that only hands out work, and two threads: one idles. */
const MAIN = `const { Worker } = require('node:worker_threads');
const path = require('node:path');
new Worker(path.join(__dirname, 'idle.js'));
const worker = new Worker(path.join(__dirname, process.argv[2]));
let id = 0;
setInterval(() => worker.postMessage({ id: ++id, name: 'a'.repeat(26) + '!' }), 100);
setTimeout(() => console.log('ready'), 1000);
`;
const FILES = {
  'main.js': MAIN,
  'idle.js': 'setInterval(() => {}, 100);\n',
  'names.js': `const { parentPort } = require('node:worker_threads');
const NAME = /^(a+)+$/;
function validate(name) {
  return NAME.test(name);
}
parentPort.on('message', ({ name }) => parentPort.postMessage(validate(name)));
`,
  'jobs.js': `const { parentPort } = require('node:worker_threads');
const seen = new Map();
function remember(job) {
  seen.set(job.id + Math.random(), new Array(2000).fill(job.id));
}
parentPort.on('message', job => {
  for (let i = 0; i < 6; i++) remember(job);
});
`,
  'sums.js': `const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ id }) => {
  let sum = 0;
  for (let i = 0; i < 200_000; i++) sum += Math.hypot(i, id);
  parentPort.postMessage(sum);
});
`,
  // A pool's thread, compiled: it takes its messages itself and never comes back to its loop.
  'pool.js': `const threads = require('node:worker_threads');
const pause = new Int32Array(new SharedArrayBuffer(4));
const options = { passes: 3 };
function job({ passes }) {
  let sum = 0;
  for (let i = 0; i < passes * 3_000_000; i++) sum += Math.hypot(i, passes);
  return sum;
}
(async () => {
  for (;;) {
    Atomics.wait(pause, 0, 0, 1);
    (0, threads.receiveMessageOnPort)(threads.parentPort);
    await job(options);
  }
})();
`,
};
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(home, name), text);

async function looked(thread: string, node: 18 | 26): Promise<Report> {
  await using target = await launch(join(home, 'main.js'), { args: [thread], cwd: home, node });
  const args = [
    LENS,
    'run',
    '--pid',
    String(target.pid),
    '--skills',
    'workers',
    '--json',
    '--quiet',
    '--fail-on',
    'never',
  ];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, '--dir', join(home, `run-${thread}-${node}`)],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  return JSON.parse(stdout) as Report;
}

test.concurrent('a worker thread that stands in a regular expression is named with function and line', async () => {
  const { insights, verdict, detached } = await looked('names.js', 26);
  expect(verdict).toBe('warning');
  expect(insights[0]?.culprit).toMatchObject({ function: 'validate', file: 'names.js', line: 4 });
  expect(insights[0]?.culprit?.via?.[0]).toMatch(/^worker thread 2/);
  expect(detached.residue).toEqual([]);
}, 60_000);

test.concurrent('a leak in a thread’s own heap is named by its variable', async () => {
  const { insights } = await looked('jobs.js', 18);
  expect(insights[0]).toMatchObject({ faultClass: 'memory.leak.collection', culprit: { file: 'jobs.js' } });
  expect(insights[0]?.title).toMatch(/worker thread 2.*`seen`/);
}, 90_000);

test.concurrent('a pool’s thread that takes its messages itself raises nothing', async () => {
  const { insights } = await looked('pool.js', 26);
  expect(insights.filter(({ severity }) => severity !== 'info')).toEqual([]);
}, 60_000);

test.concurrent('a worker thread that does its work in time raises nothing', async () => {
  const { insights, verdict } = await looked('sums.js', 26);
  expect(insights.filter(({ severity }) => severity !== 'info')).toEqual([]);
  expect(['healthy', 'observing']).toContain(verdict);
}, 60_000);
