import { expect, test } from 'vitest';
import { aliasesOf, elementFeedersOf } from '../../src/source/aliases.js';

const told = (text: string, name: string) =>
  aliasesOf(text, name).map(one => `${one.name}${one.isElement ? ' element' : ''}`);

test.each([
  [
    'a list of a map, or a new one',
    '#last',
    'class A { #last = new Map(); take(k) { const of = this.#last.get(k) ?? []; of.push(1); } }',
    ['of element'],
  ],
  [
    'minified',
    '#e',
    'class A{#e=new Map;take(e){let n=this.#e.get(e)??[];return n.push(e),n.length>40&&n.splice(0,20)}}',
    ['n element'],
  ],
  [
    'a dictionary of lists',
    'byId',
    'const byId = {}; function add(id, x) { let list = byId[id]; if (!list) list = byId[id] = []; }',
    ['list element'],
  ],
  [
    'a list that is made where there is none',
    'byId',
    'function add(id) { const list = (byId[id] ??= []); }',
    ['list element'],
  ],
  ['the collection itself', 'queue', 'class Q { go() { const q = this.queue; q.shift(); } }', ['q']],
  ['something made of it', 'map', 'function f() { const size = map.size; const keys = [...map.keys()]; }', []],
  ['at the top level, where names are known', 'map', 'const other = map;', []],
])('%s', (_, name, text, expected) => {
  expect(told(text, name)).toEqual(expected);
});

test('an alias comes with the function it is valid in', () => {
  const text = 'const m = new Map();\n\nfunction add(k) {\n  const list = m.get(k);\n}\nfunction other(list) {}';
  expect(aliasesOf(text, 'm')[0]).toMatchObject({ line0: 2, text: 'function add(k) {\n  const list = m.get(k);\n}' });
});

test('what adds to an element under its local name feeds the collection, in that function only', () => {
  const text = `class O { byBerth = new Map(); enter(call) {
  let here = this.byBerth.get(call.berth);
  here.add(call);
} other(here) {
  here.add(1);
} }`;
  expect(elementFeedersOf(text, 'byBerth').map(one => [one.line0, one.how, one.function])).toEqual([
    [2, 'add', 'O.enter'],
  ]);
});
