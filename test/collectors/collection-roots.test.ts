import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import { collectionGrowthCollector } from '../../src/collectors/collection-growth.js';
import { holderOf } from '../../src/heap/growth/holder.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import type { GrowingContainer } from '../../src/model/evidence/collection-growth.js';
import { type Launched, launch } from '../launch.js';

/** Grows in places that only Node's own variables, another name, or an old-fashioned class lead to. */
const PROGRAM = `
const stopping = new AbortController().signal;
const PROCESS = process.setMaxListeners(0);
function Emitter() {}
Emitter.prototype.on = function on() {};
function Table() { this.changes = []; }
Table.prototype = new Emitter();
Table.prototype.update = function update(x) { this.changes.push({ x, text: 'v'.repeat(200) }); };
const table = new Table();
const running = new Map();
setInterval(() => {
  const failed = Promise.reject({ text: 'f'.repeat(2000) + Math.random() });
  failed.catch(() => {});
  running.delete('now');
  running.set(running.size, failed);
  running.set('now', new Promise(() => {}));
  AbortSignal.any([stopping, new AbortController().signal]).addEventListener('abort', () => table);
  PROCESS.on('exit', () => {});
  require('node:fs').watchFile('/tmp', { interval: 60_000, persistent: false }, () => table);
  table.update(Math.random());
}, 20);
console.log('ready');
`;

let target: Launched;
let session: Session;
let rows: readonly GrowingContainer[];

const signal = new AbortController().signal;

beforeAll(async () => {
  target = await launch(PROGRAM);
  session = await attach({ pid: target.pid });
  const context = {
    signal,
    now: () => performance.now(),
    sleep: (ms: number) => sleep(ms, signal),
    exclusively: <T>(work: () => Promise<T>) => work(),
    mayPause: () => true,
  };
  rows = (await collectionGrowthCollector.collect(session, { seconds: 2, quietAfter: 0 }, context)).data.growing;
});

afterAll(async () => {
  await session?.detach();
  await target?.kill();
});

const rowOf = (holder: string) => rows.find(row => holderOf(row).text.startsWith(holder));

test('signals of AbortSignal.any that are listened to are counted, in the Set of Node that keeps them', () => {
  expect(rowOf("Node's list of waiting AbortSignals")).toMatchObject({ kind: 'Set', entry: { type: 'object' } });
});

test('promises are weighed with what they hold, by one that is settled: the newest may be under way', () => {
  const { entry } = rowOf('running') ?? {};
  expect(entry?.type).toBe('object');
  expect(entry?.bytes).toBeGreaterThan(2000);
});

test('listeners of fs.watchFile are counted by the file, in the watcher that Node has for it', () => {
  expect(rowOf("fs.watchFile('/tmp')._events.change")).toMatchObject({ kind: 'Array', entry: { type: 'function' } });
});

test('the process is called so, whatever name a file has for it', () => {
  expect(rowOf('process._events.exit')).toBeDefined();
});

test('a class that inherits without a constructor of its own is placed by its methods', () => {
  const line = PROGRAM.split('\n').findIndex(text => text.includes('Table.prototype.update'));
  expect(rowOf('table.changes')?.ownerCode?.line).toBe(line);
});
