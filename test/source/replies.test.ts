import { expect, test } from 'vitest';
import { isKeptByKey } from '../../src/source/replies.js';

function kept(source: string): boolean {
  const before = source.slice(0, source.indexOf('§')).split('\n');
  return isKeptByKey(source.replace('§', ''), { line0: before.length - 1, column0: before.at(-1)?.length ?? 0 });
}

test('a promise whose end is kept under an id waits for an answer of its own', () => {
  expect(kept('const ask = id =>\n §new Promise((ok, no) => { open.set(id, { ok, no }); post(id); });')).toBe(true);
  expect(kept('function ask(id) { return §new Promise(ok => { open[id] = ok; }); }')).toBe(true);
});

test('one that is put into a list waits for its turn', () => {
  expect(kept('const enter = () => §new Promise(ok => waiting.push(ok));')).toBe(false);
  expect(kept('const enter = () => §new Promise(ok => { ages.set(id, now()); waiting.push(ok); });')).toBe(false);
  expect(kept('const enter = () => §new Promise(ok => { this.next = ok; });')).toBe(false);
});
