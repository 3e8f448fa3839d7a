import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doHeapJob } from '../../src/commands/heap/job.js';
import { runOf } from './files.js';

const HUB = `'use strict';
class Room { constructor(id) { this.id = id; this.lines = [id, 'text ' + id]; } }
exports.Hub = class Hub {
  name = 'hub';
  #rooms = new Map();
  join(id) { this.#rooms.set(id, new Room(id)); }
};
`;
const MAIN = `const { Hub } = require('./hub.cjs');
const hub = new Hub();
for (let id = 0; id < 20000; id++) hub.join(id);
setTimeout(() => { require('node:v8').writeHeapSnapshot('hub.heapsnapshot'); hub.name; });
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-place-'));
  writeFileSync(join(folder, 'hub.cjs'), HUB);
  writeFileSync(join(folder, 'main.cjs'), MAIN);
  runOf('main.cjs', folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('what a field of a class holds is told by the field, the way to it by the variable', async () => {
  const question = { ask: 'summary' } as const;
  const path = join(folder, 'hub.heapsnapshot');
  const result = await doHeapJob({ kind: 'question', path, question, cwd: folder });
  if (result.kind !== 'question' || result.answer.ask !== 'summary') throw new Error('no summary');
  const [first] = result.answer.summary.suspects;
  expect(first?.path.text).toBe('`hub` in main.cjs → Hub → .#rooms Map');
  expect(first?.place).toMatchObject({ file: 'hub.cjs', line: 5 });
});
