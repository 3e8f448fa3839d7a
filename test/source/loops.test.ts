import { expect, test } from 'vitest';
import { awaitInLoop } from '../../src/source/loops.js';

test('a round of an async function is counted at its await within a loop', () => {
  const text = 'async function run() {\n  await ready();\n  for (;;) {\n    check();\n    await sleep(1);\n  }\n}';
  expect(awaitInLoop(text, { line0: 0, column0: 18 })).toEqual({ line0: 4, column0: 4 });
});

test.each([
  ['without a loop', 'async function run() { await ready(); }'],
  ['in a loop of another function', 'async function run() { for (;;) later(async () => { await x; }); }'],
  ['around the function', 'for (;;) { await y; async function run() { await x; } }'],
])('an await %s is no round', (_, text) => {
  expect(awaitInLoop(text, { line0: 0, column0: text.indexOf('run') + 3 })).toBeUndefined();
});
