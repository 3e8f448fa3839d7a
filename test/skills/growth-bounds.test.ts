import { describe, expect, test } from 'vitest';
import type { Suspect } from '../../src/heap/growth/suspects.js';
import type { PathStep } from '../../src/model/evidence/collection-growth.js';
import { boundsAt } from '../../src/skills/growth-bounds.js';
import { ScriptText } from '../../src/source/script.js';

const spot = { scriptId: '1', url: 'file:///srv/loads.js', line: 0, column: 0 };
const one: PathStep = { kind: 'map-value' };
const field: PathStep = { kind: 'private', name: '#last' };

function bounds(code: string, path: readonly PathStep[], kin?: number) {
  const script = new ScriptText({ scriptId: '1', url: spot.url, text: code, sha256: '' } as never); // its text only
  const suspect = { row: { path, ...(kin !== undefined && { kin }) } } as Suspect; // what bounds look at
  return boundsAt({ script, spot, name: '#last', below: [] }, suspect);
}

const TRIMMED = `class Loads {
  #last = new Map();
  take(load) {
    const of = this.#last.get(load.farm) ?? [];
    of.push(load);
    if (of.length > 40) of.splice(0, 20);
    this.#last.set(load.farm, of);
  }
}`;

test('a list in a map that its function trims under another name is bounded, each of so many', () => {
  expect(bounds(TRIMMED, [field, one], 30)).toMatchObject({
    sizeCheck: { limit: 40, each: 30 },
    removal: { line0: 5 },
  });
});

test('what trims the lists says nothing of the map that has them', () => {
  expect(bounds(TRIMMED, [field]).sizeCheck).toBeUndefined();
});

test('the same name in another function says nothing', () => {
  const code =
    'class A { #last = new Map(); add(k) { const of = this.#last.get(k); of.push(1); } }\nfunction f(of) { if (of.length > 9) of.shift(); }';
  expect(bounds(code, [field, one], 3).sizeCheck).toBeUndefined();
});

const element: readonly PathStep[] = [field, one];
const inClass = (code: string) => `class A { #last = new Map(); ${code} }`;

test.each([
  [
    'cut to a length',
    'add(k, x) { const of = this.#last.get(k) || []; of.unshift(x); of.length = Math.min(of.length, 90); }',
    { sizeCheck: { limit: 90, each: 3 } },
  ],
  [
    'stored as their last few',
    'add(k, x) { this.#last.set(k, [...(this.#last.get(k) ?? []), x].slice(-90)); }',
    { sizeCheck: { limit: 90, each: 3 } },
  ],
  [
    'filled while there is room',
    'add(k, x) { const of = this.#last.get(k); if (of.length < 300) of.push(x); }',
    { sizeCheck: { limit: 300, each: 3 } },
  ],
  [
    'swept by a timer that goes through all of them',
    'constructor() { setInterval(() => { for (const inside of this.#last.values()) for (const [k, v] of inside) if (v.until < Date.now()) inside.delete(k); }, 5000); }',
    { expiry: { line0: 0 } },
  ],
  [
    'of a minute each, whose map drops old minutes',
    'add(k) { const minute = Math.floor(Date.now() / 60_000); let of = this.#last.get(minute); if (!of) { of = new Set(); this.#last.set(minute, of); for (const old of this.#last.keys()) if (old < minute - 5) this.#last.delete(old); } of.add(k); }',
    { expiry: { line0: 0 } },
  ],
])('lists in a map are bounded where they are %s', (_, code, expected) => {
  expect(bounds(inClass(code), element, 3)).toMatchObject(expected);
});

test('a loop that only reads bounds nothing', () => {
  const code = 'report() { for (const inside of this.#last.values()) for (const [k, v] of inside) log(k, v); }';
  expect(bounds(inClass(code), element, 3)).toEqual({});
});

describe('what whoever fills it empties is a batch', () => {
  const batch = (code: string, name: string) => {
    const script = new ScriptText({ scriptId: '1', url: spot.url, text: code, sha256: '' } as never); // its text only
    const suspect = { row: { path: [{ kind: 'property', name: name }] } } as unknown as Suspect; // what bounds look at
    return boundsAt({ script, spot, name, below: [] }, suspect).emptied;
  };

  test.each([
    [
      'a method that the loop over the source calls',
      'class I { rows = []; async run(s) { for await (const r of s) { this.rows.push(r); if (r.last) await this.commit(); } } async commit() { const { rows } = this; this.rows = []; } }',
      'rows',
    ],
    [
      'two generations',
      'function two(max) { let n = 0; let young = Object.create(null); let old = {}; function put(k, v) { young[k] = v; if (++n > max) { n = 0; old = young; young = Object.create(null); } } return { set(k, v) { if (young[k]) young[k] = v; else put(k, v); } }; }',
      'young',
    ],
  ])('%s', (_, code, name) => {
    expect(batch(code, name)).toMatchObject({ byFeeder: true });
  });

  test.each([
    [
      'where something else empties it, at the end say',
      'class I { rows = []; add(r) { this.rows.push(r); } close() { this.rows = []; } }',
      'rows',
    ],
    [
      'where only one of those who fill it does',
      'let list = []; function reload(all) { list = []; for (const x of all) list.push(x); } function add(x) { list.push(x); }',
      'list',
    ],
  ])('not %s', (_, code, name) => {
    expect(batch(code, name)?.byFeeder).toBe(false);
  });
});

test.each([
  [
    'the number of keys in a queue',
    'const byTime = new Map(); const order = []; const MOST = 3600; function read(at, x) { byTime.set(at, x); order.push(at); if (order.length > MOST) byTime.delete(order.shift()); }',
    { line0: 0, limit: 3600, companion: 'order' },
  ],
  [
    'a count',
    'const byTime = new Map(); let n = 0; function read(at, x) { byTime.set(at, x); if (++n > 500) { n--; byTime.delete(byTime.keys().next().value); } }',
    { line0: 0, limit: 500 },
  ],
  [
    'a number of bytes, which is no number of entries',
    'const byTime = []; const MOST = 6 * 1024; function append(x) { byTime.push(x); bytes += x.length; if (bytes > MOST) seal(); } function seal() { send(byTime.splice(0, byTime.length)); bytes = 0; }',
    { line0: 0 },
  ],
  [
    'a count whose limit is not written here',
    'const byTime = new Map(); function read(at, x) { byTime.set(at, x); order.push(at); if (order.length > options.most) byTime.delete(order.shift()); }',
    { line0: 0, companion: 'order' },
  ],
  [
    'a function that the check calls',
    'class S { keep(id, v) { this.byTime[id] = v; this.count++; if (this.count > limits.most) this.evict(); } evict() { this.count--; delete this.byTime[this.last]; } }',
    { line0: 0 },
  ],
  [
    'a check of what push returns',
    'const byTime = []; function read(x) { byTime.push(x) > 4e3 && byTime.shift(); }',
    { line0: 0, limit: 4000 },
  ],
  [
    'an age',
    'const byTime = new Map(); function read(at, x, age) { byTime.set(at, x); if (age > 5000) byTime.delete(at); }',
    undefined,
  ],
])('what is taken out by %s has its limit, or none', (_, code, expected) => {
  const script = new ScriptText({ scriptId: '1', url: spot.url, text: code, sha256: '' } as never); // its text only
  const suspect = { row: { path: [{ kind: 'property', name: 'byTime' }] } } as unknown as Suspect; // what bounds look at
  expect(boundsAt({ script, spot, name: 'byTime', below: [] }, suspect).sizeCheck).toEqual(expected);
});

test('what gets an entry for each item of a list is known by the list', () => {
  const keysFrom = (code: string) => {
    const script = new ScriptText({ scriptId: '1', url: spot.url, text: code, sha256: '' } as never); // its text only
    const suspect = { row: { path: [{ kind: 'property', name: 'map' }] } } as unknown as Suspect; // what bounds look at
    return boundsAt({ script, spot, name: 'map', below: [] }, suspect).keysFrom;
  };
  expect(
    keysFrom('async function warm() { for (const id of ids) if (!map.has(id)) map.set(id, await load(id)); }'),
  ).toBe('ids');
  expect(keysFrom('function take(batch) { for (const one of batch) map.set(one.id, one); }')).toBeUndefined();
});
