import { expect, test } from 'vitest';
import { round } from '../../bench/torture/round.js';
import { attach } from '../../src/inspector/attach.js';
import { launch } from '../launch.js';

/** `npx tsx bench/torture.ts` does the same for minutes, on every program and every Node. */
for (const [name, node, claim] of [
  ['regexps', 22, 'what a program reads from RegExp.$1 is its own, also after it has written a line'],
  ['frozen', 18, 'subscribers come and go where Error is frozen, and no publish stumbles over it'],
  ['profiled', 24, "the program's own profilers go on"],
  ['deep', 20, 'a program that overflows its stack all the time keeps its hooks, and lens gets in and out'],
  ['contexts', 26, 'contexts of AsyncLocalStorage and own hooks stay right'],
  ['workers', 22, 'threads may start and end while they are read'],
  ['timers', 18, 'every timer, immediate and tick comes, once and in order'],
] as const)
  test.concurrent(`${claim} (${name}, Node ${node})`, async () => {
    const { faults, steps } = await round({ name, node, ms: 7_000, cycleMs: 3_000 });
    expect(faults).toEqual([]);
    expect(steps).toBeGreaterThan(20);
  }, 90_000);

const READS_LOGS = 'lens.logs';

test.concurrent('a stream that the program never asked for is not made by lens', async () => {
  // Once process.stdout exists, its pipe does not block any more, and a full one throws EAGAIN.
  await using program = await launch(
    `const fs = require('node:fs'); fs.writeSync(1, 'ready\\n');
    const made = () => process.getActiveResourcesInfo().filter(type => type === 'PipeWrap').length;
    setInterval(() => fs.writeSync(1, 'pipes ' + made() + '\\n'), 30)`,
    { node: 24 },
  );
  const session = await attach({ pid: program.pid });
  await session.agent.install('logs');
  await session.agent.call('logs', 'start', [READS_LOGS]);
  await new Promise(wake => setTimeout(wake, 300));
  const { lines } = await session.agent.call<{ lines: number }>('logs', 'stop', [READS_LOGS]);
  await session.detach();
  expect(lines).toBeGreaterThan(3);
  expect(program.stdout()).not.toContain('pipes 1');
});
