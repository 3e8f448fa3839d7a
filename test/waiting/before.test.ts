import { expect, test } from 'vitest';
import type { AsyncDump } from '../../src/model/evidence/async-dump.js';
import type { InFlight } from '../../src/model/evidence/in-flight.js';
import type { SuspendedStack } from '../../src/model/evidence/suspended.js';
import { look } from '../../src/waiting/findings.js';

const route = { method: 'GET', route: '/items', headersSent: 0, bodyIncomplete: 0 };
const held = { ...route, count: 20, heldCount: 20, heldMs: 9000 };
// Only what the analysis reads of a scan.
const scanOf = (more: Partial<InFlight>) =>
  ({ routes: [held], outgoing: [], agents: [], peers: [], stalled: [], ...more }) as unknown as InFlight;

/** A window in which nothing began, while twenty requests were held. */
function still(more: Partial<InFlight> = {}): AsyncDump {
  const empty = { requests: [], finishedBefore: [], calls: [], sockets: [], rejections: [], records: [], frames: [] };
  const totals = { inits: 0, records: 0, dropped: 0, droppedPerRequest: 0, unrecordedRequests: 0, errors: 0 };
  return { windowMs: 4000, before: scanOf(more), after: scanOf(more), totals, ...empty };
}

const stack = (count: number, ...names: readonly string[]): SuspendedStack => ({
  count,
  timed: 0,
  serving: 0,
  frames: names.map((name, i) => {
    const [called = '', file = ''] = name.split('@');
    return { function: called, url: `file:///app/${file}`, line: 10 + i, column: 3, suspended: true };
  }),
});
const told = (dump: AsyncDump, ...stacks: SuspendedStack[]) =>
  look(dump, undefined, { stacks, chains: stacks.length }).findings.map(({ faultClass, place, requests }) => ({
    faultClass,
    at: place && `${place.function}:${place.line}`,
    requests,
  }));

test('requests from before the window are worth a look at what is suspended', () => {
  expect(look(still(), undefined).unplaced.map(flow => flow.route)).toEqual(['GET /items']);
});

test('they wait at the line where their functions stand', () => {
  const all = [stack(20, 'print@queue.js', 'handle@server.js'), stack(1, 'consume@jobs.js')];
  expect(told(still(), ...all)).toEqual([{ faultClass: 'waiting.unsettled', at: 'print:10', requests: 20 }]);
});

test('functions with a request at hand leave out consumers that always wait', () => {
  const serving = { ...stack(18, 'print@queue.js'), serving: 18 };
  expect(told(still(), stack(40, 'consume@jobs.js'), serving)).toMatchObject([{ at: 'print:10', requests: 18 }]);
});

test('what a timer settles ends by itself', () => {
  expect(told(still(), { ...stack(20, 'poll@news.js'), timed: 20 })).toEqual([]);
});

test('a few that wait are not what all the others wait for', () => {
  expect(told(still(), stack(3, 'consume@jobs.js'))).toEqual([]);
});

test('calls that are open for as many as wait are the cause', () => {
  const open = { method: 'GET', host: 'rates', path: '/eur', state: 'no-answer', status: 0, bufferedBytes: 0 } as const;
  const outgoing = [{ ...open, count: 20, heldCount: 20, heldMs: 9000 }];
  const stacks = stack(20, 'request@node_modules/axios/lib/axios.js', 'rate@rates.js');
  expect(told(still({ outgoing }), stacks)).toMatchObject([{ faultClass: 'downstream.slow', at: 'rate:11' }]);
});

test('a peer whose sockets all stand still while as many wait is asked by fetch, which shows in no handle', () => {
  const peers = [{ peer: 'stock:80', count: 20, connecting: 0, halfClosed: 0, bytesRead: 9, bytesWritten: 9 }];
  expect(told(still({ peers }), stack(20, 'available@stock.js'))).toMatchObject([{ faultClass: 'downstream.slow' }]);
});
