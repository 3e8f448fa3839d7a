import { expect, test } from 'vitest';
import { emptyingsOf, replacementsOf } from '../../src/source/emptying.js';

const how = (text: string, name: string) =>
  emptyingsOf(text, name).map(one => `${one.whole ? 'whole' : 'entry'}${one.byTimer ? ' by timer' : ''}`);

test.each([
  [
    'a method that a timer calls',
    'list',
    'class B { constructor() { this.list = []; setInterval(() => this.flush(), 9); } flush() { this.list = []; } }',
    ['whole by timer'],
  ],
  [
    'a function handed to a timer',
    'list',
    'let list = []; function send() { list = []; } setInterval(send, 60_000);',
    ['whole by timer'],
  ],
  [
    'a sweep',
    'map',
    'const map = new Map(); function sweep() { for (const [k] of map) map.delete(k); } setInterval(sweep, 5).unref();',
    ['entry by timer'],
  ],
  [
    'a private field',
    '#map',
    'class A { #map = new Map(); bind() { setTimeout(this.drop.bind(this), 9); } drop() { this.#map.clear(); } }',
    ['whole by timer'],
  ],
  [
    'a sweep that a timer reaches over another function, in forEach',
    'map',
    'const map = new Map(); const purge = () => { map.forEach((v, k) => { map.delete(k); }); }; function tick() { purge(); } setInterval(() => tick(), 5);',
    ['entry by timer'],
  ],
  [
    'what gives back beside a timer that does something else',
    '#watchers',
    'class Race { #watchers = new Set(); constructor() { setInterval(() => this.#advance(), 250); } subscribe(w) { this.#watchers.add(w); return () => this.#watchers.delete(w); } #advance() {} }',
    ['entry'],
  ],
  [
    'what is fresh, kept by a timer',
    'list',
    'let list = []; setInterval(() => { const limit = Date.now() - 9; list = list.filter(({ at }) => at >= limit); }, 30_000);',
    ['entry by timer'],
  ],
  ['the last few', 'list', 'let list = []; function add(x) { list.push(x); list = list.slice(-90); }', ['entry']],
  ['a removal on an event', 'set', 'const set = new Set(); socket.on("close", () => set.delete(socket));', ['entry']],
  ['a dictionary', 'byId', 'const byId = {}; function end(id) { delete byId[id]; }', ['entry']],
  ['its beginnings only', 'list', 'class A { list = []; constructor() { this.list = []; } }', []],
  ['a start at the top level', 'list', 'var list; list = []; list.push(1);', []],
])('%s', (_, name, text, expected) => {
  expect(how(text, name)).toEqual(expected);
});

test.each([
  ['some from the front', 'this.q.shift()', 1000],
  ['a few at once', 'this.q.splice(0, 5)', 1000],
  ['what is too old', 'while (this.q[0].at < Date.now() - 9) this.q.shift()', undefined],
  ['all at once', 'this.q.splice(0)', undefined],
])('a timer that takes %s drains a queue or does not', (_, taking, every) => {
  const text = `class Q { q = []; constructor() { setInterval(() => this.flush(), 1000); } flush() { ${taking}; } }`;
  expect(emptyingsOf(text, 'q').find(one => one.byTimer)?.drainsEveryMs).toBe(every);
});

test('what goes with its holder is dropped by whoever fills it when the holder begins anew', () => {
  const text =
    'class W { constructor(at) { this.at = at; this.by = Object.create(null); } }\nlet now = new W(0); function note(k, t) { if (t - now.at > 60000) roll(t); now.by[k] = t; }\nfunction roll(t) { now = new W(t); }';
  expect(replacementsOf(text, 'now', 'by')).toMatchObject([{ whole: true, byFeeder: true, byTimer: false }]);
  expect(replacementsOf('let now = new W(0); function note(k) { now.by[k] = 1; }', 'now', 'by')).toEqual([]);
});

test('what goes with its holder is dropped by whoever calls the method that fills it, in a file of its own too', () => {
  const segment = 'export class Segment { rows = []; append(row) { this.rows.push(row); } }';
  const text =
    'let open = new Segment(); function add(row) { if (open.bytes > FULL) open = new Segment(); open.append(row); }';
  expect(replacementsOf(text, 'open', 'rows', segment)).toMatchObject([{ whole: true, byFeeder: true }]);
  const other =
    'let open = new Segment(); function reset() { open = new Segment(); } function add(r) { open.append(r); }';
  expect(replacementsOf(other, 'open', 'rows', segment)).toMatchObject([{ whole: true, byFeeder: false }]);
});

test.each([
  ['each entry of the map', 'map.forEach((v, k) => { if (v.at < 9) map.delete(k); });', true],
  ['the keys', 'for (const k of map.keys()) if (k < 9) map.delete(k);', true],
  ['one entry', 'map.delete(oldest);', false],
])('what goes through %s sweeps or does not', (_, code, sweeps) => {
  const text = `const map = new Map(); let n = 0; function add(k, v) { map.set(k, v); if (++n % 99 === 0) prune(); } function prune() { ${code} }`;
  expect(emptyingsOf(text, 'map')).toMatchObject([{ sweeps, byFeeder: true, whole: false }]);
});
