import { expect, test } from 'vitest';
import { cpuProfileCollector } from '../../src/collectors/cpu-profile.js';
import { attach } from '../../src/inspector/attach.js';
import { context } from '../collect-context.js';
import { launch } from '../launch.js';

test('a loop that does not turn while it is profiled was held for the whole window, not for 0 ms', async () => {
  await using program = await launch(
    `const hold = () => { const until = Date.now() + 4_000; while (Date.now() < until); };
    setTimeout(() => { console.log('holding'); hold(); }, 1_500); console.log('ready')`,
  );
  const session = await attach({ pid: program.pid });
  await session.agent.install('vitals');
  await program.line('holding');
  const { data } = await cpuProfileCollector.collect(session, { seconds: 1, intervalUs: 1000 }, context);
  expect(data.maxLoopDelayMs).toBeGreaterThan(900);
  await session.detach();
});
