import { afterAll, beforeAll, expect, test } from 'vitest';
import { workersCollector } from '../../src/collectors/workers.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import type { Ending } from '../../src/model/evidence/workers.js';
import { context } from '../collect-context.js';
import { type Launched, launch } from '../launch.js';

/** Each second one thread is taken out of service, as pools do with idle ones, and one dies of an error. */
const PROGRAM = `
const { Worker } = require('node:worker_threads');
const retire = () => { const idle = new Worker('setInterval(() => {}, 1000)', { eval: true }); idle.once('online', () => idle.terminate()); };
const fail = () => new Worker('throw new Error("lost")', { eval: true }).on('error', () => {});
setInterval(() => { retire(); fail(); }, 1000);
process.on('SIGHUP', () => console.log('own ' + (Worker.prototype.terminate === terminate)));
const { terminate } = Worker.prototype;
console.log('ready');
`;

let target: Launched;
let session: Session;
let endings: readonly Ending[];

beforeAll(async () => {
  target = await launch(PROGRAM);
  session = await attach({ pid: target.pid });
  const { data } = await workersCollector.collect(session, { seconds: 4 }, context);
  endings = data.offspring.flatMap(line => line.endings);
}, 20_000);
afterAll(async () => {
  await session?.detach();
  await target?.kill();
});

test('threads that the program ends itself are told from those that die of an error; both end with code 1', () => {
  expect(endings.filter(({ terminated }) => terminated).map(({ code }) => code)).toContain(1);
  expect(endings.filter(({ terminated }) => !terminated).map(({ code }) => code)).toContain(1);
});

test('the method is the own one again', async () => {
  process.kill(target.pid, 'SIGHUP');
  expect(await target.line('own')).toBe('own true');
});
