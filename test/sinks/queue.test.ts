import { appendFileSync, mkdtempSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import type { WatchEvent } from '../../src/model/watch-event.js';
import { fileJournal, memoryJournal } from '../../src/sinks/journal.js';
import { type QueueEnv, SinkQueue } from '../../src/sinks/queue.js';
import { Refused, type Sink } from '../../src/sinks/sink.js';
import { webhookSink } from '../../src/sinks/webhook.js';
import { event, fired, target } from './events.js';
import { receiver } from './receiver.js';

const path = () => join(mkdtempSync(join(tmpdir(), 'lens-queue-')), 'journal.ndjson');

/** Waits are steps of the event loop: the order of things stays, the time goes. */
const env = (said: string[] = []): QueueEnv => ({
  sleep: (_, signal) => sleep(1, signal),
  random: () => 0,
  onFailure: (sink, message) => void said.push(`${sink}: ${message}`),
});

const sink = (deliver: Sink['deliver'], batch = 3): Sink => ({ name: 'test', batch, wants: () => true, deliver });
const seqs = (events: readonly WatchEvent[]) => events.map(({ seq }) => seq);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 2));
}

test('while a receiver is away events wait on disk, and arrive in order when it is back', async () => {
  const said: string[] = [];
  const port = await freePort();
  const hook = webhookSink({ url: `http://127.0.0.1:${port}/` }, Date.now);
  const queue = new SinkQueue(hook, fileJournal(path()), env(said));
  for (const seq of upTo(250)) queue.push(fired(seq));
  await until(() => said.length > 0);
  expect(queue.waiting).toBe(250);
  await using back = await receiver(port);
  await until(() => queue.waiting === 0);
  expect(back.requests.flatMap(({ body }) => seqs(JSON.parse(body).events))).toEqual(upTo(250));
  expect(queue.dropped).toBe(0);
  expect(said).toHaveLength(2); // away, and back
  await queue.close(100);
});

test('a sink that hangs keeps neither another sink nor lens from going on', async () => {
  const got: number[] = [];
  const stuck = new SinkQueue(
    sink(() => new Promise(() => {})),
    memoryJournal(5),
    env(),
  );
  const quick = new SinkQueue(
    sink(async events => void got.push(...seqs(events))),
    memoryJournal(100),
    env(),
  );
  for (const seq of upTo(20)) for (const queue of [stuck, quick]) queue.push(fired(seq));
  await until(() => got.length === 20);
  expect(stuck.waiting).toBe(5);
  expect(stuck.dropped).toBe(15); // bounded, and said
  const startedAt = performance.now();
  await Promise.all([stuck.close(50), quick.close(50)]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('what a receiver refuses is counted and does not block what follows', async () => {
  const got: number[] = [];
  const picky = sink(async events => {
    if (seqs(events).includes(1)) throw new Refused('answered 400');
    got.push(...seqs(events));
  }, 1);
  const queue = new SinkQueue(picky, memoryJournal(10), env());
  for (const seq of upTo(4)) queue.push(fired(seq));
  await until(() => queue.waiting === 0);
  expect(got).toEqual([0, 2, 3]);
  expect(queue.dropped).toBe(1);
});

test('however often lens and the receiver die, nothing is lost and the order is kept', async () => {
  const moves = fc.array(fc.constantFrom('push', 'push', 'push', 'fail', 'kill lens', 'settle'), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(moves, async plan => {
      const file = path();
      const got: number[] = [];
      let away = false;
      const flaky = sink(async events => {
        if (away) throw new Error('away');
        got.push(...seqs(events));
      });
      const open = () => new SinkQueue(flaky, fileJournal(file), env());
      let queue = open();
      let seq = 0;
      for (const move of plan) {
        if (move === 'push') queue.push(fired(seq++));
        if (move === 'fail') away = !away;
        if (move === 'settle') await new Promise(resolve => setTimeout(resolve, 1));
        if (move !== 'kill lens') continue;
        await queue.close(0); // what it had in hand is not waited for
        if (away) appendFileSync(file, '{"torn":'); // the kernel got half of a line
        queue = open();
      }
      away = false;
      await until(() => queue.waiting === 0);
      await queue.close(10);
      // At least once, in order: what comes again is a repetition of what came just before.
      expect([...new Set(got)]).toEqual(upTo(seq));
    }),
    { numRuns: 60 },
  );
});

test('what a full disk has no room for comes from memory, in order; what memory has no room for is counted', async () => {
  const journal = fileJournal(path(), 1_500, 5);
  const arrived: number[] = [];
  const queue = new SinkQueue(
    sink(async events => void arrived.push(...seqs(events))),
    journal,
    env(),
  );
  for (const seq of upTo(12)) queue.push(fired(seq));
  const { dropped } = queue;
  expect(dropped).toBeGreaterThan(0);
  await until(() => queue.waiting === 0);
  expect(arrived).toHaveLength(12 - dropped);
  expect(arrived).toEqual([...arrived].sort((a, b) => a - b));
  expect(arrived.at(-1)).toBe(11);
  queue.push(fired(12));
  await until(() => arrived.at(-1) === 12);
});

test('whatever room the disk has and whenever a receiver fails: in order, and each once', async () => {
  const steps = fc.array(fc.record({ adds: fc.nat(6), fails: fc.boolean() }), { maxLength: 15 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 0, max: 4_000 }), async (all, room) => {
      const journal = fileJournal(path(), room, 1_000);
      const arrived: number[] = [];
      let seq = 0;
      for (const { adds, fails } of all) {
        for (let i = 0; i < adds; i++) journal.add(fired(seq++));
        const { events, end } = journal.peek(3);
        for (let i = 0; i < adds; i++) journal.add(fired(seq++)); // while the batch is on its way
        if (fails) continue;
        arrived.push(...seqs(events));
        journal.commit(end);
      }
      while (journal.waiting > 0) {
        const { events, end } = journal.peek(3);
        arrived.push(...seqs(events));
        journal.commit(end);
      }
      expect(arrived).toEqual(upTo(seq));
    }),
    { numRuns: 60 },
  );
});

test('a file that somebody has torn or emptied costs what was in it, and neither the rest nor a flood of failures', async () => {
  const file = path();
  const said: string[] = [];
  const arrived: number[] = [];
  let isAway = true;
  const deliver: Sink['deliver'] = async events => {
    if (isAway) throw new Error('away');
    arrived.push(...seqs(events));
  };
  const queue = new SinkQueue(sink(deliver), fileJournal(file), env(said));
  for (const seq of upTo(4)) queue.push(fired(seq));
  appendFileSync(file, '{"at":17951');
  for (const seq of [4, 5, 6]) queue.push(fired(seq)); // the first of them is glued to half a line
  await until(() => said.length > 0);
  isAway = false;
  await until(() => queue.waiting === 0);
  expect(arrived).toEqual([0, 1, 2, 3, 5, 6]);
  isAway = true;
  queue.push(fired(7));
  await until(() => said.length > 2);
  truncateSync(file, 0);
  isAway = false;
  await until(() => queue.waiting === 0);
  queue.push(fired(8));
  await until(() => arrived.at(-1) === 8);
  expect(said).toEqual(['away', 'takes events again', 'away', 'takes events again'].map(text => `test: ${text}`));
});

test('a journal that is read while it is written does not keep what has arrived', () => {
  const file = path();
  const journal = fileJournal(file);
  for (const seq of upTo(1_500)) {
    journal.add(fired(seq));
    if (seq % 3 === 2) continue;
    const { events, end } = journal.peek(1);
    expect(seqs(events)).toHaveLength(1);
    journal.commit(end);
  }
  expect(journal.waiting).toBe(500);
  expect(seqs(fileJournal(file).peek(3).events)).toEqual([1_000, 1_001, 1_002]);
});

test('an event longer than a read is delivered too', () => {
  const journal = fileJournal(path());
  const long = { ...target, name: 'x'.repeat(600_000) };
  journal.add(event(1, { type: 'target.lost', target: long, reason: 'ended' }));
  journal.add(fired(2));
  expect(seqs(journal.peek(5).events)).toEqual([1, 2]);
});

async function freePort(): Promise<number> {
  await using taken = await receiver();
  return taken.port;
}
