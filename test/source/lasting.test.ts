import { expect, test } from 'vitest';
import { lastingLocals } from '../../src/source/lasting.js';

const names = (text: string) => lastingLocals(text).map(({ name, line0 }) => `${name}:${line0}`);

test.each([
  [
    'over a feed',
    'async function run(feed) {\n const seen = new Map();\n for await (const m of feed) { if (seen.has(m.id)) continue; seen.set(m.id, m); } }',
    ['seen:1'],
  ],
  ['that polls', 'const run = async () => { const all = []; while (!over) { all.push(await next()); } };', ['all:0']],
  [
    'that takes out again',
    'async function run(f) { const seen = new Set(); for await (const m of f) { seen.add(m); if (m.end) seen.delete(m); } }',
    [],
  ],
  [
    'that gathers what is used behind it',
    'async function body(r) { const parts = []; for await (const p of r) parts.push(p); return Buffer.concat(parts); }',
    [],
  ],
  ['over a list', 'async function all(list) { const done = []; for (const x of list) done.push(await f(x)); }', []],
  [
    'with one for each round',
    'async function run(f) { for await (const m of f) { const own = []; own.push(m); } }',
    [],
  ],
])('a loop %s', (_, text, expected) => {
  expect(names(text)).toEqual(expected);
});
