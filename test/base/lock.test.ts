import { expect, test } from 'vitest';
import { Lock } from '../../src/base/lock.js';

const turn = () => new Promise<void>(done => setImmediate(done));

test('of those that wait the shortest goes first, equals in their order; one at a time', async () => {
  const lock = new Lock();
  const seen: string[] = [];
  let inside = 0;
  const work = (name: string) => async () => {
    expect(++inside).toBe(1);
    seen.push(name);
    await turn();
    inside--;
  };
  await Promise.all([
    lock.run(work('first'), 5),
    lock.run(work('long'), 10),
    lock.run(work('short a')),
    lock.run(work('short b')),
  ]);
  expect(seen).toEqual(['first', 'short a', 'short b', 'long']);
});

test('a long work lets a short one that follows from the last go first, and one that fails frees the place', async () => {
  const lock = new Lock(turn);
  const seen: string[] = [];
  const first = lock
    .run(() => Promise.reject(new Error('broken')))
    .catch(() => lock.run(() => Promise.resolve(seen.push('what follows'))));
  await Promise.all([first, lock.run(() => Promise.resolve(seen.push('long')), 4)]);
  expect(seen).toEqual(['what follows', 'long']);
  await lock.run(() => Promise.resolve(seen.push('later')));
  expect(seen.at(-1)).toBe('later');
});
