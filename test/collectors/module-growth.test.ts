import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import { collectionGrowthCollector } from '../../src/collectors/collection-growth.js';
import { faultOf } from '../../src/heap/growth/fault.js';
import { attach } from '../../src/inspector/attach.js';
import { launch } from '../launch.js';

const PROGRAM = `
const form = require.resolve('./form.js');
setInterval(() => { delete require.cache[form]; require(form); }, 10);
console.log('ready');
`;

test.each([20, 22] as const)('a module loaded again and again is code that grows: Node %d', async node => {
  const folder = await mkdtemp(join(tmpdir(), 'lens-modules-'));
  await writeFile(join(folder, 'form.js'), 'module.exports = { rows: [1, 2, 3].map(n => ({ n })) };');
  await writeFile(join(folder, 'main.js'), PROGRAM);
  await using target = await launch(join(folder, 'main.js'), { node });
  const session = await attach({ pid: target.pid });
  const { signal } = new AbortController();
  const context = {
    signal,
    now: () => performance.now(),
    sleep: (ms: number) => sleep(ms, signal),
    exclusively: <T>(work: () => Promise<T>) => work(),
    mayPause: () => true,
  };
  const { data } = await collectionGrowthCollector.collect(session, { seconds: 3 }, context);
  await session.detach();
  const row = data.growing.find(({ path }) => path.some(step => 'name' in step && step.name === 'children'));
  expect(row?.entry.type).toBe('module');
  expect(row && faultOf(row)).toBe('code.growth');
  await rm(folder, { recursive: true, force: true });
});
