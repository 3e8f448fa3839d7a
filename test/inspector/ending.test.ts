import { once } from 'node:events';
import { expect, test } from 'vitest';
import { attach } from '../../src/inspector/attach.js';
import { launch } from '../launch.js';

test.each([18, 20, 22, 24, 26] as const)('a Node %i that ends under lens does not wait for lens', async node => {
  await using target = await launch(
    `setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(3)); console.log('ready')`,
    {
      node,
    },
  );
  const session = await attach({ pid: target.pid });
  const ended = once(target.child, 'exit');
  await session.withDebugger(async () => {
    const lost = once(session.lost, 'abort');
    const askedAt = performance.now();
    target.child.kill('SIGTERM');
    expect(await ended).toEqual([3, null]);
    expect(performance.now() - askedAt).toBeLessThan(3_000);
    await lost;
  });
  await session.detach();
});
