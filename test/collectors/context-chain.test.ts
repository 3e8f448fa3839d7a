import { expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import { collectionGrowthCollector } from '../../src/collectors/collection-growth.js';
import { holderOf } from '../../src/heap/growth/holder.js';
import { attach } from '../../src/inspector/attach.js';
import { launch } from '../launch.js';

/** Each round plans the next inside of its own store, which refers to the store before. */
const PROGRAM = `
const { AsyncLocalStorage } = require('node:async_hooks');
const storage = new AsyncLocalStorage();
function refresh(round) {
  const plan = () => setTimeout(() => refresh(round + 1), 25);
  storage.run({ round, parent: storage.getStore(), values: Array.from({ length: 40 }, Math.random) }, plan);
}
refresh(0);
console.log('ready');
`;

// A timer that has fired keeps its store up to Node 22 and lets it go from Node 24 on.
test.each([22, 24] as const)('stores that refer to the store before are a chain on Node %i', async node => {
  const target = await launch(PROGRAM, { node });
  const session = await attach({ pid: target.pid });
  const { signal } = new AbortController();
  const context = {
    signal,
    now: () => performance.now(),
    sleep: (ms: number) => sleep(ms, signal),
    exclusively: <T>(work: () => Promise<T>) => work(),
    mayPause: () => true,
  };
  const { data } = await collectionGrowthCollector.collect(session, { seconds: 4 }, context);
  expect(data.growing.map(row => holderOf(row).text)).toContain('timer in 25 ms → AsyncLocalStorage store.parent');
  await session.detach();
  await target.kill();
});
