import { expect, test } from 'vitest';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { OperatorView, Step } from '../../src/model/skill.js';
import { onlyNewWorker } from '../../src/skills/new-worker.js';

const POOL =
  "const { Worker } = require('node:worker_threads');\nexports.scale = job =>\n  new Worker('job.js', job);\n";

async function found(...texts: string[]) {
  const scripts = texts.map((text, i) => ({ scriptId: String(i), url: `file:///srv/${i}.js`, text }));
  // biome-ignore lint/correctness/useYield: a reading that needs no tool call here
  async function* ask(kind: string): Step<Evidence> {
    return { id: kind, kind, status: 'ok', data: { scripts } } as unknown as Evidence;
  }
  // No more of the view is used.
  const { value } = await onlyNewWorker({ ask, target: { cwd: '/srv' } } as unknown as OperatorView).next();
  return value;
}

test('the one line that starts threads is where they are started', async () => {
  expect(await found('const worker = 1;\n', POOL)).toMatchObject({ file: '1.js', line: 3 });
});

test('of two lines that start threads none is named', async () => {
  expect(await found(POOL, POOL)).toBeUndefined();
});
