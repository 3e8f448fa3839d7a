import { expect, test } from 'vitest';
import { takerOf } from '../../src/source/dropped.js';

/** The line (from 1) that takes, for the promise at the mark `§`. */
function takes(source: string): number | undefined {
  const before = source.slice(0, source.indexOf('§')).split('\n');
  const found = takerOf(source.replace('§', ''), { line0: before.length - 1, column0: before.at(-1)?.length ?? 0 });
  return found && found.line0 + 1;
}

test('whoever takes a job out of the list that its promise was put into has to settle it', () => {
  expect(
    takes(
      'class A {\n ask(k) { return §new Promise((ok, no) => { this.#jobs.push({ k, ok, no }); }); }\n run() { const j = this.#jobs.shift();\n } }',
    ),
  ).toBe(3);
  expect(
    takes('let w = [];\nconst ask = () => §new Promise(ok => w.push(ok));\nfunction run() {\n const b = w; w = []; }'),
  ).toBe(4);
});

test('a promise whose end goes elsewhere has no taker', () => {
  expect(takes('const ask = () => §new Promise(ok => once(ok));\nfunction run() { w.shift(); }')).toBeUndefined();
  expect(takes('const ask = () => §new Promise(ok => w.push(1));\nfunction run() { w.shift(); }')).toBeUndefined();
  expect(
    takes('const ask = id => §new Promise(ok => w.set(id, ok));\nfunction got(id) { w.get(id)(); }'),
  ).toBeUndefined();
});

test('a list that is worked off before it is emptied drops nobody', () => {
  const ask = 'let w = [];\nconst ask = () => §new Promise(ok => w.push(ok));\n';
  expect(takes(`${ask}function told(t) {\n w.forEach(tell => tell(t)); w = []; }`)).toBeUndefined();
  expect(takes(`${ask}function told(t) {\n for (const tell of w) tell(t);\n w = []; }`)).toBeUndefined();
});
