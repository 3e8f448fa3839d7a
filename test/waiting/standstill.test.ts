import { expect, test } from 'vitest';
import type { AsyncDump } from '../../src/model/evidence/async-dump.js';
import type { Holder } from '../../src/model/evidence/holders.js';
import type { InFlight } from '../../src/model/evidence/in-flight.js';
import { look, needsHolders } from '../../src/waiting/findings.js';
import { shapeOf, withUnread } from '../../src/waiting/pools.js';
import { runningMost } from '../../src/waiting/running.js';

const route = {
  method: 'GET',
  route: '/items',
  count: 40,
  heldCount: 40,
  heldMs: 9000,
  headersSent: 0,
  bodyIncomplete: 0,
};
// Only what the analysis reads of a scan; the rest of its fields is empty.
const scan = {
  servers: 1,
  routes: [route],
  outgoing: [],
  agents: [],
  peers: [],
  stalled: [],
  stalledCount: 0,
} as unknown as InFlight;
const still = {
  windowMs: 4000,
  before: scan,
  after: scan,
  requests: [],
  finishedBefore: [],
  calls: [],
  sockets: [],
  rejections: [],
  records: [],
  frames: [],
  totals: { inits: 0, records: 0, dropped: 0, droppedPerRequest: 0, unrecordedRequests: 0, errors: 0 },
} as unknown as AsyncDump;

const holder = (more: Partial<Holder>): Holder => ({
  name: 'Pool',
  path: [],
  queue: 'waiting',
  waiting: 40,
  waiters: true,
  numbers: {},
  lists: {},
  ...more,
});
const classesWith = (...holders: Holder[]) =>
  look(still, { holders, objects: 1, cpuMs: 1 }).findings.map(finding => finding.faultClass);

test('when callers have stopped to ask, pools and locks are looked for all the same', () => {
  expect(needsHolders(look(still, undefined))).toBe(true);
});

test('a full pool that they stand in is the cause', () => {
  expect(classesWith(holder({ numbers: { max: 5 }, lists: { idle: 0, inUse: 5 } }))).toEqual(['pool.exhaustion']);
});

test('a pool with something at rest is not', () => {
  expect(classesWith(holder({ numbers: { max: 5 }, lists: { idle: 2, inUse: 3 } }))).toEqual([]);
});

test('queues of one kind count together', () => {
  const one = holder({ name: 'Client', queue: 'queue', waiting: 8, numbers: { unreadBytes: 60_000 } });
  expect(classesWith(one, one, one)).toEqual(['pool.exhaustion']);
});

test('a lock that says it is taken is one; bare callbacks may be a long poll', () => {
  expect(classesWith(holder({ name: 'Mutex', numbers: { _value: 0 } }))).toEqual(['waiting.lock']);
  expect(classesWith(holder({ name: 'Object' }))).toEqual([]);
});

/** Forty requests of 1.6 s that all come through. */
const late = {
  ...still,
  before: { ...scan, routes: [{ ...route, count: 20, heldCount: 0, heldMs: 0 }] },
  after: { ...scan, routes: [{ ...route, count: 20, heldCount: 0, heldMs: 0 }] },
  requests: Array.from({ length: 40 }, (_, index) => ({
    ...{ index, method: 'GET', route: '/items', at: index * 50, end: index * 50 + 1600, status: 200 },
    ...{ aborted: false, recorded: true, headersSent: true, bodyIncomplete: false },
  })),
} as unknown as AsyncDump;
const classesOfLate = (...holders: Holder[]) =>
  look(late, { holders, objects: 1, cpuMs: 1 }).findings.map(finding => finding.faultClass);

test('requests that come through late are explained by the full pool they queue in', () => {
  expect(needsHolders(look(late, undefined))).toBe(true);
  expect(classesOfLate(holder({ waiting: 30, numbers: { max: 2 }, lists: { free: 0, used: 2 } }))).toEqual([
    'pool.exhaustion',
  ]);
});

test('a short queue before a slow partner is not the cause, nor is a pool with something at rest', () => {
  expect(classesOfLate(holder({ waiting: 3, numbers: { max: 10 }, lists: { free: 0, used: 10 } }))).toEqual([]);
  expect(classesOfLate(holder({ waiting: 30, numbers: { max: 4 }, lists: { free: 2, used: 2 } }))).toEqual([]);
});

test("what a pool's connections have and nobody reads is the pool's", () => {
  const path = [{ kind: 'property', name: 'hooks' }] as Holder['path'];
  const pool = holder({ path });
  const client = holder({
    name: 'Client',
    path: [...path, { kind: 'property', name: 'clients' }],
    numbers: { unreadBytes: 9000 },
  });
  expect(withUnread(pool, [pool, client])?.numbers.unreadBytes).toBe(9000);
  expect(withUnread(pool, [pool, { ...client, path: [] }])?.numbers.unreadBytes).toBeUndefined();
});

test('who keeps those at rest and those in use is a pool, wherever its bound is kept', () => {
  const held = (lists: Holder['lists']): Holder => ({
    ...{ name: 'Pool', path: [], queue: '_pendingAcquires', waiting: 504, waiters: true, numbers: { _count: 5 } },
    lists: { _pendingAcquires: 504, ...lists },
  });
  expect(shapeOf(held({ _inUseObjects: 5, _availableObjects: 0 }))).toBe('pool');
  expect(shapeOf(held({ running: 5 }))).toBe('lock');
});

test('connections that are at one statement are told, those in somebody’s hands at none are not', () => {
  const pool = (running: readonly string[]): Holder => ({
    ...{ name: 'Pool', path: [], queue: 'waiting', waiting: 50, waiters: true, numbers: { max: 4 }, running },
    lists: { _clients: 4, _idle: 0 },
  });
  expect(runningMost(pool(['select a', 'select a', 'select a', 'select b']))).toEqual({
    statement: 'select a',
    count: 3,
  });
  expect(runningMost(pool(['select a']))).toBeUndefined();
  expect(runningMost(pool(['a', 'b', 'c', 'd']))).toBeUndefined();
});

test('a route on which nothing comes back is worth a search for pools, whatever was found so far', () => {
  const stuck = { ...route, count: 40, heldCount: 0 };
  const requests = Array.from({ length: 20 }, (_, i) => ({
    ...{
      index: i + 1,
      method: 'GET',
      route: '/items',
      at: i * 100,
      end: 0,
      status: 0,
      aborted: false,
      recorded: false,
    },
    ...{ headersSent: false, bodyIncomplete: false },
  }));
  const before = { ...scan, routes: [{ ...stuck, count: 20 }] };
  const dump = { ...still, before, after: { ...scan, routes: [stuck] }, requests } as unknown as AsyncDump;
  const seen = look(dump, undefined);
  expect(seen.findings).toEqual([]);
  expect(needsHolders(seen)).toBe(true);
});
