import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { doHeapJob } from '../../src/commands/heap/job.js';
import { runOf } from './files.js';

const folders: string[] = [];
afterAll(() => folders.map(folder => rmSync(folder, { recursive: true, force: true })));

/** Runs `main.cjs`, whose `grow(from, to)` is called before each of three heapSnapshots, and compares them. */
export async function differenceOf(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'lens-grown-'));
  folders.push(folder);
  const main = `${files['main.cjs']}
    const v8 = require('node:v8');
    (async () => {
      for (let i = 0; i < 3; i++) {
        await grow(i * 1500, (i + 1) * 1500);
        await new Promise(resolve => setTimeout(resolve, 20));
        v8.writeHeapSnapshot(i + '.heapsnapshot');
      }
      process.exit();
    })();`;
  for (const [name, text] of Object.entries({ ...files, 'main.cjs': main })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  runOf('main.cjs', folder);
  const paths = [0, 1, 2].map(i => join(folder, `${i}.heapsnapshot`));
  const result = await doHeapJob({ kind: 'difference', paths, cwd: folder });
  if (result.kind !== 'difference') throw new Error('no difference');
  return result.difference;
}

/** The way to what grew first, and its place. */
export async function firstGrown(files: Record<string, string>) {
  const [first] = (await differenceOf(files)).grown;
  return first && { text: first.path.text, at: `${first.place?.file}:${first.place?.line}` };
}
