import { expect, test } from 'vitest';
import { trafficCollector } from '../../src/collectors/async-dump.js';
import { exceptionsCollector } from '../../src/collectors/exceptions.js';
import { attach } from '../../src/inspector/attach.js';
import { context } from '../collect-context.js';
import { launch } from '../launch.js';

/** Nearly always in the midst of Node's own code that walks a list of listeners or subscribers. */
const PUBLISHING = `
  const channel = require('node:diagnostics_channel').channel('http.server.request.start');
  for (let i = 0; i < 3; i++) process.on('uncaughtExceptionMonitor', () => {});
  setInterval(() => {
    const until = Date.now() + 15;
    while (Date.now() < until) {
      for (let i = 0; i < 200; i++) if (channel.hasSubscribers) channel.publish({});
      for (let i = 0; i < 200; i++) process.emit('uncaughtExceptionMonitor');
    }
  }, 16);
  console.log('ready')`;
const ROUNDS = 4;
const AT_ONCE = 25;

for (const node of [18, 22, 26] as const)
  test.concurrent(`Node ${node}: listeners come and go while the program walks the list of them`, async () => {
    await using program = await launch(PUBLISHING, { node });
    const session = await attach({ pid: program.pid });
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([
        ...Array.from({ length: AT_ONCE }, (_, i) =>
          trafficCollector.collect(session, { seconds: 1 + i / 100 }, context),
        ),
        exceptionsCollector.collect(session, { seconds: 0.5 }, context),
      ]);
    }
    expect((await session.detach()).residue).toEqual([]);
    expect(program.stderr()).not.toContain('TypeError');
    expect(program.child.exitCode).toBeNull();
  });

test('Node 18: what can only be taken back in the midst of a walk is taken back after it', async () => {
  await using program = await launch(
    `const channel = require('node:diagnostics_channel').channel('http.server.request.start');
    const hang = () => { const until = Date.now() + 6_000; while (Date.now() < until); };
    setTimeout(() => { channel.subscribe(() => channel.hasSubscribers && hang()); channel.publish({}); }, 500);
    setInterval(() => console.log('subscribers', channel._subscribers?.length), 50);
    console.log('ready')`,
    { node: 18 },
  );
  const session = await attach({ pid: program.pid });
  await context.sleep(500);
  await trafficCollector.collect(session, { seconds: 1 }, context);
  await session.detach();
  await program.line('subscribers 1');
  expect(program.stderr()).not.toContain('TypeError');
  expect(program.child.exitCode).toBeNull();
});
