import { expect, test } from 'vitest';
import { jobsOf, nestedJob } from '../../src/source/nested.js';

test('a job that awaits another job of its own limiter is found, at the call inside', () => {
  const direct = 'async function both() {\n  return limit(async () => {\n    await limit(() => one());\n  });\n}';
  expect(nestedJob(direct, 'limit')).toMatchObject({ line0: 2 });
  const named =
    'const load = id => crm.schedule(async () => {\n  const found = await get(id);\n  if (found.parent) found.group = await load(found.parent);\n  return found;\n});';
  expect(nestedJob(named, 'crm')).toMatchObject({ callee: 'load', line0: 2 });
  const methods =
    'class Bank {\n  async fee(a) { return lock.runExclusive(() => a - 1); }\n  async pay(a) {\n    return lock.runExclusive(async () => {\n      await this.fee(a);\n    });\n  }\n}';
  expect(nestedJob(methods, 'lock')).toMatchObject({ line0: 4 });
});

test('jobs one after the other, of two limiters, or put in without waiting are none', () => {
  expect(
    nestedJob('async function f() { await limit(() => one()); await limit(() => two()); }', 'limit'),
  ).toBeUndefined();
  expect(nestedJob('const f = () => a.schedule(async () => { await b.schedule(() => one()); });', 'a')).toBeUndefined();
  expect(nestedJob('const f = () => q.add(async () => { q.add(() => next()); });', 'q')).toBeUndefined();
  expect(
    nestedJob('const one = () => q.add(() => get());\nconst two = () => q.add(async () => { await other(); });', 'q'),
  ).toBeUndefined();
});

test('where a limiter is given functions to run is found, by its method or by itself', () => {
  const lines = (text: string, holder: string) => jobsOf(text, holder).map(({ line0 }) => line0);
  expect(
    lines('export const render = name =>\n  queue.add(async () => page(name));\nqueue.onIdle();', 'queue'),
  ).toEqual([1]);
  expect(lines('export const load = id => limit(() => get(id));', 'limit')).toEqual([0]);
  expect(lines('export const put = item => items.add(item);', 'items')).toEqual([]);
});
