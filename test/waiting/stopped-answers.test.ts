import { expect, test } from 'vitest';
import type { AsyncDump, OutgoingCall } from '../../src/model/evidence/async-dump.js';
import { look } from '../../src/waiting/findings.js';
import { MadeDump } from './made.js';

/** All requests of the dump have begun to answer; of so many not a byte has come since. */
function answering(dump: AsyncDump, dry: number): AsyncDump {
  const routes = dump.after.routes.map(row => ({ ...row, headersSent: row.count - dry, ...(dry && { dry }) }));
  const requests = dump.requests.map(request => ({ ...request, headersSent: true }));
  return { ...dump, requests, after: { ...dump.after, routes } };
}

function exports(): AsyncDump {
  const made = new MadeDump();
  for (let i = 0; i < 8; i++) {
    const request = made.request(200 + i);
    const promise = made.record(request, 'PROMISE', ['new Promise', 'write@export.js', 'handle@main.js'], { at: 210 });
    made.record(request, 'PROMISE', ['write@export.js', 'handle@main.js'], { at: 210, triggerId: promise });
  }
  return made.dump();
}

test('an answer that has begun and stopped waits at a line; streams that are open by design don’t', () => {
  const [finding] = look(answering(exports(), 8), undefined).findings;
  expect(finding).toMatchObject({ faultClass: 'waiting.unsettled', place: { function: 'write' } });
  expect(look(answering(exports(), 0), undefined).findings).toEqual([]);
});

test('answers that are followed for ever begin seldom: their silence is no fault', () => {
  const dump = answering(exports(), 8);
  expect(look({ ...dump, requests: [] }, undefined)).toMatchObject({ findings: [], standstill: false, unplaced: [] });
});

test('round trips one after the other are told from the calls, whatever of their waits was kept', () => {
  const made = new MadeDump();
  for (const at of [10, 60, 110]) {
    const request = made.request(at);
    const promise = made.record(request, 'PROMISE', ['ask@node_modules/client/index.js', 'load@items.js'], { at });
    made.record(request, 'PROMISE', ['load@items.js'], { at: at + 3700, triggerId: promise });
    for (let n = 0; n < 38; n++) made.calls.push(callOf(request, at + 100 * n, 98));
  }
  const [finding] = look(made.dump(), undefined).findings;
  expect(finding).toMatchObject({ faultClass: 'downstream.chatty', waits: { perRequest: 38, requests: 3 } });
});

const callOf = (request: number, at: number, ms: number): OutgoingCall =>
  ({
    ...{ library: 'http', request, at, answeredAt: at + ms, end: at + ms, method: 'GET', host: 'db:9200' },
    ...{ path: '/doc/:id', target: at, status: 200, state: 'done' },
  }) as const;
