import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { doHeapJob } from '../../src/commands/heap/job.js';
import type { HeapSummary } from '../../src/heap/index.js';
import { runOf } from './files.js';

const STORE = `// what people edit
interface Session { id: number; token: string }

export const sessions = new Map<string, Session>();
export class Ticket { constructor(public id: number, public note: string) {} }

export function open(id: number): void {
  sessions.set('s' + id, new Ticket(id, 'note ' + id) as never);
}
`;
const MAIN = `import { writeHeapSnapshot } from 'node:v8';
import { open } from './store.js';
import { keep } from 'keeper';
for (let id = 0; id < 8000; id++) { open(id); keep({ id, text: 'text ' + id, more: 'more ' + id }); }
setTimeout(() => { writeHeapSnapshot('bundled.heapsnapshot'); open(0); keep(0); }, 1);
`;
const KEEPER = `
const kept = [];
exports.keep = what => kept.push(what);
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-heap-maps-'));
  for (const path of ['src', 'node_modules/keeper']) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, 'src/store.ts'), STORE);
  writeFileSync(join(folder, 'src/main.ts'), MAIN);
  writeFileSync(join(folder, 'node_modules/keeper/index.js'), KEEPER);
  buildSync({
    entryPoints: [join(folder, 'src/main.ts')],
    outfile: join(folder, 'dist/app.cjs'),
    bundle: true,
    platform: 'node',
    sourcemap: true,
    absWorkingDir: folder,
  });
  runOf('dist/app.cjs', folder);
  rmSync(join(folder, 'src'), { recursive: true }); // the map alone must do
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function summary(): Promise<HeapSummary> {
  const path = join(folder, 'bundled.heapsnapshot');
  const result = await doHeapJob({ kind: 'question', path, question: { ask: 'summary' }, cwd: folder });
  if (result.kind !== 'question' || result.answer.ask !== 'summary') throw new Error('not a summary');
  return result.answer.summary;
}

test('what a bundle holds is told by the file it was written in, with the lines around it, and by its package', async () => {
  const { suspects, classes } = await summary();
  const held = (variable: string) => suspects.find(({ path }) => path.variable === variable);
  expect(held('sessions')).toMatchObject({
    place: { file: 'src/store.ts', line: 4 },
    path: { text: '`sessions` in src/store.ts → Map' },
  });
  expect(held('sessions')?.place?.frame).toContain('> 4 | export const sessions = new Map<string, Session>();');
  const inPackage = suspects.find(({ path }) => path.inner?.variable === 'kept');
  expect(inPackage?.place).toMatchObject({ package: 'keeper', file: 'node_modules/keeper/index.js', line: 2 });
  const ticket = classes.find(({ name }) => name === 'Ticket');
  expect(ticket?.place).toMatchObject({ url: join(folder, 'src/store.ts'), line: 5 });
});
