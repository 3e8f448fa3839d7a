import { expect, test } from 'vitest';
import type { ServedRequest } from '../../src/model/evidence/async-dump.js';
import type { InFlight } from '../../src/model/evidence/in-flight.js';
import type { Traffic } from '../../src/model/evidence/traffic.js';
import type { Vitals } from '../../src/model/evidence/vitals.js';
import { symptoms } from '../../src/waiting/symptoms.js';

// Only what is in flight is read of the scans, and nothing is.
const idle = { routes: [], agents: [], outgoing: [], peers: [], stalled: [], stalledCount: 0 } as unknown as InFlight;

/** Twenty answers, each after this long. */
const answeredAfter = (ms: number): Traffic => ({
  windowMs: 3000,
  before: idle,
  after: idle,
  requests: Array.from(
    { length: 20 },
    (_, i) =>
      ({ method: 'GET', route: '/table', at: i * 100, end: i * 100 + ms, status: 200 }) as unknown as ServedRequest,
  ),
  finishedBefore: [],
  calls: [],
  sockets: [],
});
// Only utilization and delay are read.
const loop = (elu: number, p99Ms: number) => ({ elu, loopDelay: { p99Ms } }) as unknown as Vitals;

test('answers that take as long as the loop stands still wait for nothing else', () => {
  expect(symptoms(answeredAfter(160), undefined, loop(0.6, 155))).toEqual([]);
});

test('answers that are slower than the loop, or beside an idle one, are asked about', () => {
  const said = ['GET /table: p50 160 ms, p95 160 ms'];
  expect(symptoms(answeredAfter(160), undefined, loop(0.6, 20))).toEqual(said);
  expect(symptoms(answeredAfter(160), undefined, loop(0.1, 155))).toEqual(said);
  expect(symptoms(answeredAfter(160), undefined)).toEqual(said);
});
