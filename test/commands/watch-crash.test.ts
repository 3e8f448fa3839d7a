import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import type { AlertEventBody, WatchEvent } from '../../src/model/watch-event.js';
import { fileJournal } from '../../src/sinks/journal.js';
import { SinkQueue } from '../../src/sinks/queue.js';
import { isAlert } from '../../src/sinks/sink.js';
import { recall, remember, tellSafely, tellUntold } from '../../src/stores/watch-memory.js';
import { alert, target } from '../sinks/events.js';

class Killed extends Error {}

/** The n-th alert of one rule: it fires and ends in turns. */
const nth = (n: number): AlertEventBody => {
  const burning = { ...alert, firedAt: n - (n % 2) };
  return n % 2 === 0
    ? { type: 'alert.fired', target, alert: burning, snapshot: {} }
    : { type: 'alert.resolved', target, alert: burning };
};

/** A lens with two sinks over the files of those before it; `kill` ends it before its k-th write. */
function lens(home: string, got: readonly WatchEvent[][], kill: number) {
  let writes = 0;
  let dead = false;
  const write = <T>(work: () => T): T => {
    dead ||= writes++ === kill;
    if (dead) throw new Killed();
    return work();
  };
  const env = { sleep: (_: number, signal: AbortSignal) => sleep(1, signal), random: () => 0, onFailure: () => {} };
  const journals = got.map((_, i) => fileJournal(join(home, `sink-${i}.ndjson`)));
  const queues = journals.map((journal, i) => {
    // What is dead delivers nothing any more.
    const deliver = async (events: readonly WatchEvent[]) =>
      dead ? new Promise<void>(() => {}) : void got[i]?.push(...events);
    const killing = { ...journal, add: (event: WatchEvent) => write(() => journal.add(event)) };
    Object.defineProperty(killing, 'waiting', { get: () => journal.waiting });
    return new SinkQueue({ name: 'test', batch: 5, wants: isAlert, deliver }, killing, env);
  });
  let seq = 0;
  const event = (body: AlertEventBody): WatchEvent => ({ at: 0, watch: `${Math.random()}`, seq: seq++, ...body });
  const known = { baselines: new Map(), open: [] };
  return {
    queues,
    start: () =>
      tellUntold(home, events => {
        for (const told of events.map(event)) for (const queue of queues) queue.pushAgain(told);
      }),
    tell: (told: readonly AlertEventBody[]) =>
      tellSafely(
        told,
        pending => write(() => remember(home, 'app', 'app', { ...known, pending })),
        body => {
          const one = event(body);
          for (const queue of queues) queue.push(one);
        },
      ),
  };
}

test('killed before any write, lens tells each sink each alert once and in order', async () => {
  const kills = fc.array(fc.record({ told: fc.integer({ min: 1, max: 3 }), kill: fc.integer({ min: 0, max: 12 }) }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(kills, async plan => {
      const home = mkdtempSync(join(tmpdir(), 'lens-crash-'));
      const got: WatchEvent[][] = [[], []];
      let next = 0;
      for (const { told, kill } of plan) {
        const each = lens(home, got, kill);
        let started = false;
        try {
          each.start();
          started = true;
          const news = Array.from({ length: told }, (_, i) => nth(next + i));
          each.tell(news);
          next += told;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          // What was written down is told by the next one; what was not has not happened.
          if (started) next += recall(home, 'app').pending.length;
          for (const queue of each.queues) await queue.close(0);
          continue;
        }
        for (const queue of each.queues) await queue.close(100);
      }
      const last = lens(home, got, Number.POSITIVE_INFINITY);
      last.start();
      for (const queue of last.queues) await queue.close(100);
      const expected = Array.from({ length: next }, (_, n) => `${nth(n).type} ${nth(n).alert.firedAt}`);
      for (const sink of got)
        expect(sink.map(each => isAlert(each) && `${each.type} ${each.alert.firedAt}`)).toEqual(expected);
    }),
    { numRuns: 150 },
  );
}, 30_000);
