import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectionGrowthCollector } from '../../src/collectors/collection-growth.js';
import { holderOf } from '../../src/heap/growth/holder.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import type { CollectionGrowth } from '../../src/model/evidence/collection-growth.js';
import { context } from '../collect-context.js';
import { type Launched, launch } from '../launch.js';

/** What no single collection of its own shows: keys of a dictionary, bounds that are private, closures, Node's own lists. */
const PROGRAM = `
const { performance } = require('node:perf_hooks');
const topics = Object.fromEntries(Array.from({ length: 60 }, (_, i) => ['topic ' + i, []]));
class Lru { #max = 40; map = new Map(); add() { this.map.set(this.map.size, 'v'.repeat(400)); } }
const lru = new Lru();
const MAX = Symbol('max'), ORDER = Symbol('order');
class Order { length = 0; _first = null; push(value) { this._first = { value, next: this._first }; this.length++; } }
const recent = { [MAX]: 1000, [ORDER]: new Order() };
const _Till_rows = new WeakMap();
class Till { constructor() { _Till_rows.set(this, []); } add(row) { _Till_rows.get(this).push(row); } }
const till = new Till();
function screens() {
  let screen;
  return function change(text) {
    const former = screen;
    const changed = () => former;
    screen = { text, undo() { return changed; } };
  };
}
const change = screens();
const memory = { known: new WeakMap([[topics, new Map()]]) };
const words = new Map();
function index(word) {
  let at = words;
  for (const letter of word) {
    if (!at.has(letter)) at.set(letter, new Map());
    at = at.get(letter);
  }
  at.set('', { word });
}
const desks = Array.from({ length: 9 }, (_, i) => ({ tickets: i < 6 ? ['a'] : ['a', 'b', 'c'] }));
const files = Array.from({ length: 6 }, () => ({ pages: [] }));
let turn = 0;
function tick() {
  desks.push(desks.shift());
  for (const desk of desks) desk.tickets = [...desk.tickets];
  files[turn % 6] = { pages: [...files[turn % 6].pages, 'page ' + turn] };
  topics['topic ' + (turn++ % 60)].push({ at: turn });
  lru.add();
  recent[ORDER].push('r'.repeat(300) + turn);
  till.add({ cents: turn, text: 'sold ' + turn });
  change('text ' + turn);
  performance.mark('tick ' + turn);
  memory.known.get(topics).set('page ' + turn, { turn });
  index('order ' + ((turn * 7919) % 99_991));
}
setInterval(tick, 10);
console.log('ready');
`;

let target: Launched;
let session: Session;
let growth: CollectionGrowth;

beforeAll(async () => {
  target = await launch(PROGRAM);
  session = await attach({ pid: target.pid });
  growth = (await collectionGrowthCollector.collect(session, { seconds: 5 }, context)).data;
});

afterAll(async () => {
  await session?.detach();
  await target?.kill();
});

const rowOf = (holder: string) => growth.growing.find(row => holderOf(row).text.startsWith(holder));

test('lists under the keys of a big dictionary are one row', () => {
  expect(rowOf('topics')).toMatchObject({ kin: 60, path: expect.arrayContaining([{ kind: 'element' }]) });
});

test('maps in maps in maps that all gain a little are one row, with what is new in new branches', () => {
  const row = rowOf('words');
  expect(row).toMatchObject({
    kind: 'Map',
    path: expect.arrayContaining([expect.objectContaining({ name: 'words' })]),
  });
  expect(row?.kin).toBeGreaterThan(10);
  const ticks = rowOf('lru.map')?.perSecond ?? 0;
  // Of its letters the last two or three are new, and lie in branches that are new themselves.
  expect((row?.perSecond ?? 0) / ticks).toBeGreaterThan(1.5);
  expect((row?.perSecond ?? 0) / ticks).toBeLessThan(9);
});

test('what a WeakMap in a property keeps for an object that lives on is seen', () => {
  expect(rowOf('memory.known.get(*)')).toMatchObject({ kind: 'Map' });
});

test('what stands elsewhere now is not compared with what stood there; what replaced it is', () => {
  expect(rowOf('desks')).toBeUndefined();
  expect(rowOf('files')).toMatchObject({ kin: 6, replaced: true });
});

test('a list that counts its entries is told with its owner’s bound under a symbol, and its chain is not told again', () => {
  const rows = growth.growing.filter(row => holderOf(row).text.startsWith('recent'));
  expect(rows).toMatchObject([{ kind: 'list', limits: [{ name: 'max', value: 1000 }] }]);
  expect(rows[0]?.entry.bytes).toBeGreaterThan(100);
});

test('a bound that a class keeps in a #private field is read', () => {
  expect(rowOf('lru.map')?.limits).toEqual([{ name: '#max', value: 40 }]);
});

test('a #private field that a compiler made a WeakMap of is seen', () => {
  expect(rowOf('till._Till_rows')).toMatchObject({ kind: 'Array', ownerClass: 'Till' });
});

test('what performance.mark leaves in Node is watched', () => {
  expect(rowOf('performance marks')).toMatchObject({ kind: 'Array', className: 'Array' });
});

test('a chain of closures that keep each other is found by its variable', () => {
  const [chain] = growth.closureChains ?? [];
  expect(chain?.path.at(-1)).toMatchObject({ kind: 'variable', name: 'former', scope: 'closure' });
  expect(chain?.links).toBeGreaterThanOrEqual(6);
});
