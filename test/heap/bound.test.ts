import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judged } from '../../src/commands/heap/bound.js';
import { ScriptFiles } from '../../src/commands/heap/script-files.js';
import type { GrownHolder } from '../../src/heap/index.js';

const CACHES = `const open = new Map();
const recent = new Map();
const MOST = 500;
exports.keep = (key, value) => {
  open.set(key, value);
  recent.set(key, value);
  if (recent.size > MOST) recent.delete(recent.keys().next().value);
};
`;
const ROOM = `exports.Room = class Room extends Map {
  set(key, value) {
    super.set(key, value);
    for (const oldest of this.keys()) {
      if (this.size <= this.most) break;
      super.delete(oldest);
    }
  }
};
`;
const MOODS = `const { keepLast, count } = require('./keep.cjs');
const moods = new Map();
const tales = new Map();
const days = {};
const lines = [];
exports.add = body => {
  let list = moods.get(body.who);
  if (!list) moods.set(body.who, (list = []));
  list.push(body);
  keepLast(list, 80);
  const all = tales.get(body.who) ?? [];
  all.push(body);
  count(all, 80);
  const day = (days[body.day] ??= []);
  if (day.length < 300) day.push(body);
  lines.push(body);
  keepLast(lines, 1000);
};
`;
const KEEP = `exports.keepLast = keepLast;
function keepLast(list, most) {
  if (list.length > most) list.splice(0, list.length - most);
}
exports.count = (list, most) => list.length > most;
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-bound-'));
  writeFileSync(join(folder, 'caches.cjs'), CACHES);
  writeFileSync(join(folder, 'room.cjs'), ROOM);
  writeFileSync(join(folder, 'moods.cjs'), MOODS);
  writeFileSync(join(folder, 'keep.cjs'), KEEP);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GROWN = {
  kind: 'map', shape: 'many', id: 1, class: 'Map', retainedBytes: 300_000, share: 0.1,
  children: [{ what: 'Row', count: 100, retainedBytes: 190_000, sampleId: 2 }],
  history: [100_000, 200_000, 300_000], grownBytes: 200_000, newChildren: 100,
} as const; // biome-ignore format: fields

const holding = (variable: string, more: Partial<GrownHolder> = {}): GrownHolder => ({
  ...GROWN,
  path: { variable, module: join(folder, 'caches.cjs'), steps: [], text: variable },
  ...more,
});

const said = (grown: GrownHolder[], paths: string[] = ['a', 'b', 'c']) =>
  judged(grown, { files: new ScriptFiles(), cwd: folder, paths, waiting: [] }).map(
    ({ path, bound, levels }) =>
      `${path.text}${bound ? ` bounded at ${bound.file}:${bound.line}` : ''}${levels ? ' levels' : ''}`,
  );

test('what its code bounds comes after what nothing bounds, and says where', () => {
  expect(said([holding('recent'), holding('open')])).toEqual(['open', 'recent bounded at caches.cjs:7']);
});

test('a limit that was passed is not believed', () => {
  expect(said([holding('recent', { newChildren: 700 })])).toEqual(['recent']);
});

test('a class that extends Map bounds itself', () => {
  const instance = { near: { url: join(folder, 'room.cjs'), line: 1, column: 16 }, fields: [] };
  expect(said([holding('open', { instance })])).toEqual(['open bounded at room.cjs:5']);
});

test('what grows less and less is told so; steady growth is not', () => {
  expect(said([holding('open', { history: [100, 900, 1000] })])).toEqual(['open levels']);
  expect(said([holding('open', { history: [100, 900, 1500] })])).toEqual(['open']);
  expect(said([holding('open', { history: [100, 900] })], ['a', 'b'])).toEqual(['open']);
});

test('the time between files that V8 named counts: a third one that came soon does not level off', () => {
  const names = (...times: string[]) => times.map(time => `/tmp/Heap.20261122.${time}.9.0.001.heapsnapshot`);
  const history = [100, 900, 1000];
  expect(said([holding('open', { history })], names('120000', '120800', '120900'))).toEqual(['open']);
  expect(said([holding('open', { history })], names('120000', '120800', '121600'))).toEqual(['open levels']);
});

test('a bound of how many entries there are says nothing of what grows inside of them', () => {
  expect(said([holding('recent', { children: [], newChildren: 0 })])).toEqual(['recent']);
});

test('lists that a function of another module trims are bounded, and those that it only counts are not', () => {
  const of = (variable: string, more: Partial<GrownHolder> = {}) =>
    holding(variable, { path: { variable, module: join(folder, 'moods.cjs'), steps: [], text: variable }, ...more });
  const inside = { children: [], newChildren: 0 };
  expect(said([of('moods', inside), of('tales', inside), of('days', inside), of('lines')])).toEqual([
    'tales',
    'moods bounded at moods.cjs:10',
    'days bounded at moods.cjs:15',
    'lines bounded at moods.cjs:17',
  ]);
});
