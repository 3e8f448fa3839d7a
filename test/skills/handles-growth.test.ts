import { describe, expect, test } from 'vitest';
import type { Handles, SocketGroup, TimerGroup } from '../../src/model/evidence/handles.js';
import { confirmed, onlyGrows, rearmedSuspect, suspectsIn } from '../../src/skills/handles-growth.js';
import { unreadChild } from '../../src/skills/handles-unread.js';

const nothing: Handles = {
  seconds: 6,
  at: [0, 1, 2, 3, 4, 5, 6],
  uptimeSeconds: 600,
  timers: [],
  timerTotal: [],
  sockets: [],
  others: [],
  listeners: [],
  requests: {},
  resources: {},
  truncated: false,
};
const climbing = (from: number, step: number) => Array.from({ length: 7 }, (_, i) => from + i * step);
const steady = (count: number) => climbing(count, 0);
const interval = (counts: readonly number[]): TimerGroup => ({
  ms: 5000,
  repeat: true,
  name: 'beat',
  callback: { scriptId: '9', line: 3, column: 1 },
  counts,
});
const socket = (more: Partial<SocketGroup>): SocketGroup => ({
  direction: 'out',
  peer: 'db:5432',
  counts: steady(3),
  born: 0,
  gone: 0,
  idle: 0,
  idleBorn: 0,
  settledBorn: 0,
  busy: 0,
  halfClosed: steady(0),
  bytesRead: 0,
  bytesWritten: 0,
  ...more,
});
const classes = (data: Handles) => suspectsIn(data).map(({ faultClass }) => faultClass);

describe('growth', () => {
  test.each([
    [[1, 2, 3, 4], true],
    [[5, 5, 5, 5], false],
    [[5, 9, 5, 9], false],
    [[0, 0, 40, 40], false],
    [[10, 20, 19, 30], true],
    [[10, 9, 8], false],
  ])('%j only grows: %s', (counts, grows) => expect(onlyGrows(counts)).toBe(grows));
});

describe('timers', () => {
  test('an interval that is started again and again is a leak', () => {
    expect(classes({ ...nothing, timers: [interval(climbing(5, 4))] })).toEqual(['handles.leak.timer']);
  });

  test('an interval per connection is a heartbeat', () => {
    const inbound = socket({ direction: 'in', peer: '8080', counts: climbing(10, 4), born: 24 });
    expect(classes({ ...nothing, timers: [interval(climbing(10, 4))], sockets: [inbound] })).toEqual([]);
  });

  test('a library’s timers per connection are not named beside the connections', () => {
    const growing = { ...interval(climbing(10, 4)), ms: 2 ** 31 - 1, repeat: false };
    const connection = {
      direction: 'out',
      peer: '10.0.0.7:443',
      counts: climbing(10, 4),
      closeWait: [],
      born: 24,
      gone: 0,
    } as const;
    const data = { ...nothing, timers: [growing, interval(climbing(10, 4))], connections: [connection] };
    expect(classes(data)).toEqual(['handles.leak.socket']);
  });

  test('more and more one-shots are a leak if they start themselves again', () => {
    const poll = { ...interval(climbing(10, 4)), repeat: false };
    expect(rearmedSuspect({ ...nothing, timers: [poll] }, poll)).toMatchObject({
      faultClass: 'handles.leak.timer',
      growth: 24,
    });
    expect(rearmedSuspect(nothing, { ...poll, counts: steady(10) })).toBeUndefined();
    const clients = socket({ direction: 'in', peer: '8080', counts: climbing(10, 4), born: 24 });
    expect(rearmedSuspect({ ...nothing, sockets: [clients] }, poll)).toBeUndefined();
  });

  test('sessions that expire after ten minutes are no leak, though they grow', () => {
    const expiry = { ...interval(climbing(100, 20)), ms: 600_000, repeat: false };
    expect(classes({ ...nothing, uptimeSeconds: 60, timers: [expiry] })).toEqual([]);
  });

  test('timers for a day at a high rate will not end in time', () => {
    const forgotten = { ...interval(climbing(100, 20)), ms: 86_400_000, repeat: false };
    expect(classes({ ...nothing, timers: [forgotten] })).toEqual(['handles.leak.timer']);
  });
});

describe('sockets', () => {
  test('connections that nobody uses are a leak', () => {
    const unused = socket({ counts: climbing(3, 4), born: 24, settledBorn: 16, idleBorn: 16, idle: 19 });
    expect(classes({ ...nothing, sockets: [unused] })).toEqual(['handles.leak.socket']);
  });

  test('a pool that grows under load is used', () => {
    const pool = socket({ counts: climbing(3, 4), born: 24, settledBorn: 16, idleBorn: 3, busy: 20 });
    expect(classes({ ...nothing, sockets: [pool] })).toEqual([]);
  });

  test('thirty keep-alive sockets are healthy', () => {
    expect(classes({ ...nothing, sockets: [socket({ counts: steady(30), idle: 30 })] })).toEqual([]);
  });

  test('a connection for each request and closed again is no leak', () => {
    const churn = socket({ counts: climbing(3, 1), born: 60, gone: 54, settledBorn: 6, idleBorn: 6 });
    expect(classes({ ...nothing, sockets: [churn] })).toEqual([]);
  });

  test('clients that come and stay silent are not our leak, unless they have hung up', () => {
    const clients = socket({
      direction: 'in',
      peer: '80',
      counts: climbing(9, 5),
      born: 30,
      settledBorn: 20,
      idleBorn: 20,
    });
    expect(classes({ ...nothing, sockets: [clients] })).toEqual([]);
    expect(classes({ ...nothing, sockets: [{ ...clients, halfClosed: climbing(9, 5) }] })).toEqual([
      'handles.leak.socket',
    ]);
  });

  test('idle connections of an agent are a leak only when each request makes its own', () => {
    const connections = [
      {
        direction: 'out' as const,
        peer: '10.0.0.1:443',
        counts: climbing(6, 4),
        closeWait: steady(0),
        born: 24,
        gone: 0,
      },
    ];
    expect(classes({ ...nothing, connections, clientRequests: 24 })).toEqual(['handles.leak.socket']);
    expect(classes({ ...nothing, connections, clientRequests: 400 })).toEqual([]);
  });
});

describe('two windows', () => {
  const suspects = (step: number, from = 0) => suspectsIn({ ...nothing, timers: [interval(climbing(from, step))] }, 1);

  test('what goes on is confirmed with the numbers of both', () => {
    expect(confirmed(suspects(4), suspects(4, 24))[0]).toMatchObject({ growth: 48 });
  });

  test('what slows down was filling', () => {
    expect(confirmed(suspects(4), suspects(1, 24))).toEqual([]);
  });

  test('what stopped is not there any more', () => {
    expect(confirmed(suspects(4), suspects(0, 24))).toEqual([]);
  });
});

describe('what no list of connections shows', () => {
  const udp = { direction: 'udp', peer: '', counts: climbing(4, 8), closeWait: steady(0), born: 48, gone: 0 } as const;
  const ports = { kind: 'other', type: 'MessagePort', counts: climbing(3, 5), born: 30, gone: 0 } as const;

  test('UDP sockets that only grow are a leak, also when they do not keep the loop alive', () => {
    expect(classes({ ...nothing, connections: [udp] })).toEqual(['handles.leak.socket']);
    expect(classes({ ...nothing, connections: [{ ...udp, gone: 30 }] })).toEqual([]);
  });

  test('a message port for each request is a leak, one for each worker is not', () => {
    expect(classes({ ...nothing, others: [ports] })).toEqual(['handles.leak.port']);
    const workers = { kind: 'worker', type: 'Worker', counts: climbing(1, 5), born: 30, gone: 0 } as const;
    expect(classes({ ...nothing, others: [ports, workers] })).toEqual([]);
  });
});

test('children whose output fills its pipe do not end because nobody reads it', () => {
  const children = {
    kind: 'child',
    type: 'ChildProcess',
    name: 'node',
    counts: climbing(2, 3),
    born: 18,
    gone: 0,
  } as const;
  const titleOf = (more: { unread?: readonly number[] }) =>
    suspectsIn({ ...nothing, others: [{ ...children, ...more }] }).map(suspect => unreadChild(suspect).title);
  expect(titleOf({ unread: climbing(1, 3) })).toEqual([expect.stringContaining('nobody reads what it writes')]);
  expect(titleOf({ unread: climbing(1, 0) })).toEqual([undefined]);
  expect(titleOf({})).toEqual([undefined]);
  const some = { ...children, gone: 12, counts: climbing(4, 3).map((count, i) => count + ((i * 5) % 4)) };
  expect(suspectsIn({ ...nothing, others: [some] })).toEqual([]);
  expect(suspectsIn({ ...nothing, others: [{ ...some, unread: climbing(1, 3) }] })).toHaveLength(1);
});
