import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectionGrowthCollector } from '../../src/collectors/collection-growth.js';
import { holderOf } from '../../src/heap/growth/holder.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import type { GrowingContainer } from '../../src/model/evidence/collection-growth.js';
import { context } from '../collect-context.js';
import { type Launched, launch } from '../launch.js';

/** Grows in many ways at once, each a different number of entries a second; touches of it are counted. */
const PROGRAM = `
const { EventEmitter } = require('node:events');
const bus = new EventEmitter().setMaxListeners(0);
class Store { #rows = []; add(row) { this.#rows.push(row); } }
const store = new Store();
const signals = new AbortController();
class Cache { #m = new Map(); #n = 5000; #k = 7; get max() { return this.#n; } get size() { return this.#k; } put(v) { this.#m.set(v, 'w'.repeat(500) + v); } }
const cache = new Cache();
let replaced = [];
let touched = 0;
const journal = { text: 'begun '.repeat(500) };
let page = 'begun '.repeat(500);
const accounts = new Map(Array.from({ length: 300 }, (_, i) => [i, { visits: [] }]));
let visit = 0;
const gamesOf = hub => new Map(Array.from({ length: 40 }, (_, i) => [i, { hub, moves: [] }]));
const games = gamesOf({ rooms: new Map() });
(function (root) { root.__registry__ = { kinds: [] }; setInterval(() => root.__registry__.kinds.push({ text: 'k'.repeat(700) + Math.random() }), 20); })(globalThis);
const marks = new WeakMap();
class Span { cross() { const list = marks.get(this) ?? []; list.push({ at: Date.now(), text: 'm'.repeat(200) + list.length }); marks.set(this, list); } }
const span = new Span();
const trap = new Proxy({}, { get() { touched++; }, ownKeys() { touched++; return []; }, getPrototypeOf() { touched++; return null; } });
const traps = { trap, get costly() { touched++; return 1; } };
const still = new Map([[1, 1], [2, 2]]);
function tick() {
  store.add({ text: 'x'.repeat(2000) + Math.random() });
  bus.on('tick', () => store);
  journal.text += 'one more line ';
  page += 'one more paragraph ';
  for (let i = 0; i < 10; i++) accounts.get((visit = (visit + 7) % 300)).visits.push({ at: visit, text: 'z'.repeat(50) });
  games.get(0).hub.rooms.set('room ' + Math.random(), { text: 'r'.repeat(900) + Math.random() });
  for (const game of [...games.values()].slice(0, 8)) game.moves.push({ text: 'v'.repeat(50) + Math.random() });
  signals.signal.addEventListener('abort', () => touched);
  cache.put(Math.random());
  span.cross();
  replaced = [...replaced, 'y'.repeat(3000) + Math.random()];
  setInterval(() => bus, 3_600_000).unref();
}
process.on('SIGHUP', () => console.log('touched ' + touched, Object.keys(traps), still.size));
setInterval(tick, 20);
console.log('ready');
`;

let target: Launched;
let session: Session;
let rows: readonly GrowingContainer[];

beforeAll(async () => {
  target = await launch(PROGRAM);
  session = await attach({ pid: target.pid });
  rows = (await collectionGrowthCollector.collect(session, { seconds: 5 }, context)).data.growing;
});

afterAll(async () => {
  await session?.detach();
  await target?.kill();
});

const rowOf = (holder: string) => rows.find(row => holderOf(row).text.startsWith(holder));

test('a private field is named through the variable that leads to it', () => {
  expect(rowOf('store.#rows')).toMatchObject({ kind: 'Array', ownerClass: 'Store' });
  expect(rowOf('store.#rows')?.entry.bytes).toBeGreaterThan(2000);
});

test('a bound in a #private field that a minifier renamed is known by the getter that shows it', () => {
  expect(rowOf('cache.#m')?.limits).toEqual([{ name: 'max', value: 5000 }]);
});

test('listeners of an emitter and of an abort signal are counted, with the code that was registered', () => {
  const line = PROGRAM.split('\n').findIndex(text => text.includes("bus.on('tick'"));
  expect(rowOf('bus._events.tick')?.entry.code?.line).toBe(line);
  expect(rows.some(row => row.path.some(step => step.kind === 'map-value' && step.key === 'abort'))).toBe(true);
});

test('an array that is copied to grow is found by the second walk', () => {
  expect(rowOf('replaced')).toMatchObject({ replaced: true, kind: 'Array' });
});

test('texts that are appended to are counted, in properties and in variables', () => {
  expect(rowOf('journal.text')).toMatchObject({ kind: 'string', entry: { bytes: 1 } });
  expect(rowOf('page')).toMatchObject({ kind: 'string' });
});

test('lists that each gain a little are one row, scaled up to all of them', () => {
  const row = rowOf('accounts.get(*).visits');
  expect(row?.kin).toBe(300);
  expect(row?.perSecond).toBeGreaterThan(250);
  expect(row?.perSecond).toBeLessThan(700);
});

test('what all elements of a collection lead to is told from what each of them has', () => {
  const inGames = (field: string) => rows.find(row => new RegExp(`^games.*${field}$`).test(holderOf(row).text));
  expect(inGames('hub.rooms')).toMatchObject({ alone: true });
  expect(inGames('moves')).toBeDefined();
  expect(inGames('moves')?.alone).toBeUndefined();
});

test('what lies in the global object is named by it, whatever functions call it', () => {
  expect(rowOf('globalThis.__registry__.kinds')).toMatchObject({ kind: 'Array' });
});

test('what a WeakMap of the application holds for an object is named by the WeakMap', () => {
  const row = rows.find(({ path }) => path.at(-1)?.kind === 'map-value' && holderOf({ path }).text.startsWith('marks'));
  expect(row).toMatchObject({ kind: 'Array' });
  expect(row?.path.at(-2)).toMatchObject({ kind: 'variable', name: 'marks', scope: 'module' });
});

test('intervals are counted by duration, and know their callback', () => {
  expect(rows.find(row => row.timer?.ms === 3_600_000)).toMatchObject({ timer: { repeats: true } });
});

test('what does not grow has no row, and no user code was run', async () => {
  expect(rowOf('still')).toBeUndefined();
  process.kill(target.pid, 'SIGHUP');
  expect(await target.line('touched')).toMatch(/^touched 0 /);
});

test('nothing of the walk stays in the target', async () => {
  expect(await session.evaluate("Symbol.for('lens.scope-walk') in globalThis")).toBe(false);
});
