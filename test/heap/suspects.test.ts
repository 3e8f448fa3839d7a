import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baselineOf, compareHeaps, HeapView, type SaidSuspect, summarise } from '../../src/heap/index.js';
import { heapOf, runtimes } from './files.js';

const STORE = `
class Session { constructor(id) { this.id = id; this.token = 'token ' + id; this.onDone = () => id; } }
const sessions = new Map();
const EventEmitter = require('node:events');
const bus = new EventEmitter(); bus.setMaxListeners(0);
exports.open = id => sessions.set('s' + id, new Session(id));
exports.listen = id => { const big = new Array(20).fill(id); bus.on('tick', function onTick() { return big; }); };
`;
// Imported: the importer has the variable's cell, too, but this file is the one that declares it.
const REGISTRY = 'export const registry = new Set();';
const MODULE = `
import { registry } from './registry.mjs';
const cache = {}; export const list = []; let head = null;
export function remember(id) { cache['k' + id] = { id, text: 'text ' + id }; list.push({ row: id, data: 'data ' + id }); }
export function later(id) { setTimeout(function tick() { return id + list.length; }, 1e8); }
export function register(id) { registry.add({ id, note: 'note ' + id }); }
export function chain(id) { head = { id, next: head, label: 'label ' + id }; }
`;
const MAIN = `
import { createRequire } from 'node:module'; import v8 from 'node:v8'; import * as esm from './module.mjs';
const store = createRequire(import.meta.url)('./store.cjs');
const grow = (from, to) => { for (let i = from; i < to; i++) { store.open(i); store.listen(i); esm.remember(i); esm.later(i); esm.chain(i); esm.register(i); } };
grow(0, 4000); v8.writeHeapSnapshot('first'); grow(4000, 6000); v8.writeHeapSnapshot('second'); process.exit();
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-suspects-'));
  writeFileSync(join(folder, 'store.cjs'), STORE);
  writeFileSync(join(folder, 'registry.mjs'), REGISTRY);
  writeFileSync(join(folder, 'module.mjs'), MODULE);
  writeFileSync(join(folder, 'main.mjs'), MAIN);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (node: string) => {
  const done = spawnSync(node, ['main.mjs'], { cwd: folder, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
  return ['first', 'second'].map(name => new HeapView(heapOf(readFileSync(join(folder, name))))) as [
    HeapView,
    HeapView,
  ];
};

const said = ({ kind, path, children }: SaidSuspect) =>
  `${kind} ${path.variable ?? '-'} in ${path.module?.split('/').at(-1) ?? '-'} with ${children[0]?.count} × ${children[0]?.what.replace(/ .*\//, ' ')}`;

describe.each(runtimes())('on $name', ({ path }) => {
  let views: [HeapView, HeapView];
  beforeAll(() => {
    views = run(path);
  });

  test('suspects are named by variable, file and what they hold', () => {
    const suspects = summarise(views[0], { minShare: 0.02 }).suspects.map(said);
    expect(suspects).toContain('map sessions in store.cjs with 4000 × Session');
    expect(suspects).toContain('listeners bus in store.cjs with 4000 × onTick() store.cjs:7');
    expect(suspects).toContain('object cache in module.mjs with 4000 × {text}');
    expect(suspects).toContain('array list in module.mjs with 4000 × {data}');
    expect(suspects).toContain('set registry in registry.mjs with 4000 × {note}');
    expect(suspects.find(text => text.startsWith('timers'))).toMatch(/4000 × Timeout/);
    expect(suspects).toContain('instance head in module.mjs with 4001 × {next, label}');
  });

  test('every suspect belongs to the program, none to Node', () => {
    const files = summarise(views[0]).suspects.map(
      ({ path, children }) => path.module ?? children.find(child => child.callsPlace)?.callsPlace?.url ?? '?',
    );
    expect(files.every(file => file.includes(folder.split('/').at(-1)!))).toBe(true);
  });

  test('two files of one process tell what grew, by object id', () => {
    const { grown, added } = compareHeaps([baselineOf(views[0])], views[1]);
    const texts = grown.map(said);
    expect(texts).toContain('map sessions in store.cjs with 2000 × Session');
    expect(texts).toContain('listeners bus in store.cjs with 2000 × onTick() store.cjs:7');
    expect(grown.every(({ history }) => history[1]! > history[0]!)).toBe(true);
    expect(added.count).toBeGreaterThan(2000 * 10);
  });
});

test('a program that keeps nothing has no suspect and nothing that grew', () => {
  const idle = `import v8 from 'node:v8';
    const cache = new Map(); const use = id => { cache.set(id % 50, { id }); return cache.get(id % 50); };
    for (let i = 0; i < 2000; i++) use(i); v8.writeHeapSnapshot('first'); for (let i = 0; i < 2000; i++) use(i); v8.writeHeapSnapshot('second');`;
  writeFileSync(join(folder, 'idle.mjs'), idle);
  spawnSync(process.execPath, ['idle.mjs'], { cwd: folder });
  const [first, second] = ['first', 'second'].map(name => new HeapView(heapOf(readFileSync(join(folder, name)))));
  expect(summarise(first!).suspects.map(said)).toEqual([]);
  expect(compareHeaps([baselineOf(first!)], second!).grown.map(said)).toEqual([]);
});
