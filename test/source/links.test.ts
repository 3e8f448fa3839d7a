import { expect, test } from 'vitest';
import { cutOf, linksOf } from '../../src/source/links.js';

const lines = (text: string, property: string, owner: string) => linksOf(text, property, owner).map(one => one.code);

test.each([
  [
    'a constructor',
    'class Span {\n constructor(parent) {\n  this.parent = parent;\n }\n}',
    'parent',
    'Span',
    ['this.parent = parent;'],
  ],
  [
    'the same property of another class',
    'class Node {\n constructor(p) {\n  this.parent = p;\n }\n}',
    'parent',
    'Span',
    [],
  ],
  [
    'a literal',
    'function enter(id) {\n return { id, previous: current };\n}',
    'previous',
    'Object',
    ['return { id, previous: current };'],
  ],
  [
    'what a class is made with',
    'function fail(m) {\n this.problem = new UplinkError(m, { cause: this.problem });\n}',
    'cause',
    'UplinkError',
    ['this.problem = new UplinkError(m, { cause: this.problem });'],
  ],
  ['what takes an object apart', 'function f({ previous }) { const { previous: p } = x; }', 'previous', 'Object', []],
])('%s', (_, text, property, owner, expected) => {
  expect(lines(text, property, owner)).toEqual(expected);
});

test('a chain whose links are taken away somewhere is cut, one that begins without any is not', () => {
  expect(cutOf('function forget(at) { at.before = undefined; }', 'before')).toMatchObject({ line0: 0 });
  expect(cutOf('class V { constructor() { this.before = null; } }', 'before')).toBeUndefined();
  const history = 'class P { now = { before: undefined }; edit(t) { this.now = { t, before: this.now }; } }';
  expect(linksOf(history, 'before', 'Object')).toMatchObject([{ function: 'P.edit' }]);
});
