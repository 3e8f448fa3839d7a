import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attach } from '../../src/inspector/attach.js';
import { listeningSockets } from '../../src/inspector/proc/sockets.js';
import { launch } from '../launch.js';

/** Programs that would all open the same port, as those do that were started without any flag. */
const port = 12_000 + (process.pid % 2_000) * 10; // below the range that outgoing connections take theirs from
const start = () =>
  launch(`console.log('ready'); setInterval(() => {}, 1000)`, { execArgv: [`--inspect-port=${port}`] });

test('a second lens waits until the first has left the port, and says for whom', async () => {
  await using one = await start();
  await using two = await start();
  const first = await attach({ pid: one.pid });
  const told: string[] = [];
  const waiting = attach({ pid: two.pid }, { onWait: why => told.push(why) });
  await sleep(1_000);
  expect(told).toEqual([expect.stringContaining(`process ${one.pid} (`)]);
  await first.detach();
  const second = await waiting;
  expect(second.url).toContain(`:${port}/`);
  expect(two.stderr()).not.toContain('failed');
  await second.detach();
});

test('who stays long opens a port of its own: many at once, and each gets its port back', async () => {
  await using one = await start();
  await using two = await start();
  await using three = await start();
  const programs = [one, two, three];
  const sessions = await Promise.all(programs.map(({ pid }) => attach({ pid }, { ownPort: true })));
  expect(sessions.map(session => session.url).filter(url => url.includes(`:${port}/`))).toEqual([]);
  expect(await Promise.all(sessions.map(session => session.evaluate('process.debugPort')))).toEqual([port, port, port]);
  const left = await Promise.all(sessions.map(session => session.detach()));
  expect(left).toEqual(left.map(() => ({ inspectorClosed: true, residue: [] })));
  expect((await Promise.all(programs.map(({ pid }) => listeningSockets(pid)))).flat()).toEqual([]);
  const again = await attach({ pid: two.pid });
  expect(again.url).toContain(`:${port}/`);
  await again.detach();
  expect(programs.map(({ child, stderr }) => child.exitCode ?? stderr().includes('failed'))).toEqual([
    false,
    false,
    false,
  ]);
});
