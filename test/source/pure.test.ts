import { describe, expect, it } from 'vitest';
import { isDeterministic } from '../../src/source/pure.js';

/** The verdict on the function named `f` in a text. */
function judged(text: string): boolean {
  const before = text.slice(0, text.indexOf('f(')).split('\n');
  return isDeterministic(text, { line0: before.length - 1, column0: (before.at(-1)?.length ?? 0) + 1 });
}

describe('a function gives the same again', () => {
  it.each([
    ['when it only uses its parameters', 'function f(a) { let sum = 0; for (const x of a) sum += x; return sum; }'],
    ['with constants of the file', 'const LIMIT = 5;\nfunction f(a) { return a > LIMIT; }'],
    [
      'with a package',
      "const Joi = require('joi');\nfunction f(a) { return Joi.object({ id: Joi.string().default(a) }); }",
    ],
    ['with an imported package', "import _ from 'lodash';\nfunction f(a) { return _.sortBy(a); }"],
    ['with functions that do too', 'const g = a => a * 2;\nfunction f(a) { return g(a); }'],
    ['with a map of its own', 'function f(a) { const m = new Map(); m.set(a, 1); return m; }'],
  ])('%s', (_, text) => {
    expect(judged(text)).toBe(true);
  });
});

describe('a function may give something else', () => {
  it.each([
    ['when it reads the clock', 'function f(a) { return Date.now() - a; }'],
    ['when it draws', 'function f(a) { return Math.random() * a; }'],
    ['when it waits', 'async function f(a) { return await a; }'],
    ['when it belongs to an object', 'class C { f(a) { return this.x + a; } }'],
    ['when it counts', 'let n = 0;\nfunction f(a) { n++; return a + n; }'],
    ['when it looks into a store', 'const store = new Map();\nfunction f(a) { return store.get(a); }'],
    [
      'when it asks a module of the application',
      "const { load } = require('./load');\nfunction f(a) { return load(a); }",
    ],
    ['when it reads a file', "const fs = require('node:fs');\nfunction f(a) { return fs.readFileSync(a); }"],
    ['when one that it calls does', 'let n = 0;\nfunction g(a) { n += a; return n; }\nfunction f(a) { return g(a); }'],
  ])('%s', (_, text) => {
    expect(judged(text)).toBe(false);
  });
});
