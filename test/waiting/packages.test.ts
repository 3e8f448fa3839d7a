import { expect, test } from 'vitest';
import type { Holders } from '../../src/model/evidence/holders.js';
import type { InFlight } from '../../src/model/evidence/in-flight.js';
import { look } from '../../src/waiting/findings.js';
import { unanswered } from '../../src/waiting/unanswered.js';
import { MadeDump } from './made.js';

const USER = ['turn@app.js', 'handle@app.js'];
const NOTHING: Holders = { holders: [], objects: 0, cpuMs: 0 };

/** Six requests of which each waits for what `wait` makes. */
function held(wait: (made: MadeDump, request: number, at: number) => void): MadeDump {
  const made = new MadeDump();
  for (let i = 0; i < 6; i++) wait(made, made.request(i * 10), i * 10);
  return made;
}

test('a package that waits, and no queue to be found, waits for an answer', () => {
  const made = held((dump, request, at) => {
    const asked = dump.record(request, 'PROMISE', ['new Promise', 'ask@node_modules/peer/index.js', ...USER], { at });
    dump.record(request, 'PROMISE', USER, { at, triggerId: asked });
  });
  expect(look(made.dump(), undefined).findings).toMatchObject([{ faultClass: 'waiting.lock', confidence: 'low' }]);
  expect(look(made.dump(), NOTHING).findings).toMatchObject([{ faultClass: 'waiting.unsettled', replies: true }]);
});

test('a promise of its own around a call over HTTP/2 waits for the peer', () => {
  const made = held((dump, request, at) => {
    const asked = dump.record(request, 'PROMISE', ['new Promise', 'call@app.js', ...USER], { at });
    dump.record(request, 'PROMISE', USER, { at, triggerId: asked });
    dump.record(request, 'HTTP2STREAM', ['request@node_modules/rpc/index.js'], { at });
  });
  const [finding] = look(made.dump(), NOTHING).findings;
  expect(finding).toMatchObject({ faultClass: 'downstream.slow', package: 'rpc', place: { function: 'turn' } });
});

test('who returns a promise that others share is named, though nobody awaits it there', () => {
  const made = held((dump, request, at) => {
    const outer = dump.record(request, 'PROMISE', ['share@app.js', ...USER], { at });
    dump.record(request, 'PROMISE', USER, { at, triggerId: outer });
    dump.record(request, 'PROMISE', [], { at, triggerId: 5000 });
  });
  expect(look(made.dump(), NOTHING).findings).toMatchObject([
    { faultClass: 'waiting.unsettled', place: { function: 'share' } },
  ]);
});

test('a package that tries again and again, from callbacks of its own, asks for what others hold', () => {
  const made = held((dump, request, at) => {
    const asked = dump.record(request, 'PROMISE', ['new Promise', 'lock@node_modules/file-lock/index.js', ...USER]);
    dump.record(request, 'PROMISE', USER, { at, triggerId: asked });
    for (let t = at; t < 3900; t += 120) {
      const end = t + 120 < 3900 ? t + 120 : 0;
      dump.record(request, 'Timeout', ['again@node_modules/retry/index.js'], { at: t, end, detail: { ms: 120 } });
    }
  });
  expect(look(made.dump(), NOTHING).findings).toMatchObject([
    { faultClass: 'waiting.lock', confidence: 'medium', place: { function: 'turn' } },
  ]);
});

test("a driver's chained promises are told by the await of the program that they lie under", () => {
  const made = new MadeDump();
  for (let i = 0; i < 4; i++) {
    const at = i * 500;
    const request = made.request(at, at + 400);
    for (let step = 0; step < 20; step++) {
      const span = { at: at + step * 20, end: at + step * 20 + 19 };
      const inner = made.record(request, 'PROMISE', ['new Promise', 'run@node_modules/driver/index.js'], span);
      const outer = made.record(request, 'PROMISE', ['load@app.js', 'week@app.js'], { ...span, triggerId: 9000 });
      const then = ['Promise.then', 'query@node_modules/driver/index.js'];
      made.record(request, 'PROMISE', then, { ...span, triggerId: inner, executionId: outer });
    }
  }
  const places = look(made.dump(), undefined).places.filter(({ package: name }) => name === 'driver');
  expect(places[0]).toMatchObject({ perRequest: 20, user: [{ function: 'load' }, { function: 'week' }] });
});

test('calls that outlive every request are told when their callers have given up', () => {
  const open = (count: number, heldMs: number, served: readonly { count: number; heldMs: number }[]) =>
    unanswered({
      outgoing: [{ state: 'no-answer', host: 'maps', path: '/legs', method: 'GET', count, heldCount: count, heldMs }],
      routes: served,
    } as unknown as InFlight);
  expect(open(6, 21_000, [{ count: 15, heldMs: 1500 }])).toMatchObject({ host: 'maps' });
  expect(open(6, 21_000, [{ count: 15, heldMs: 20_900 }])).toBeUndefined();
  expect(open(6, 0, [{ count: 15, heldMs: 0 }])).toBeUndefined();
});
