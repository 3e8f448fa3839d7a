import { expect, test } from 'vitest';
import { look } from '../../src/waiting/findings.js';
import { callGroups } from '../../src/waiting/outgoing.js';
import { MadeDump } from './made.js';

const USER = ['load@app.js', 'handle@app.js'];
const found = (made: MadeDump) => look(made.dump(), undefined).findings;

/** Eight requests, 200 ms apart, each waiting for a timer of its own in a package. */
function queued(delay: (i: number) => number): MadeDump {
  const made = new MadeDump();
  for (let i = 0; i < 8; i++) {
    const at = i * 200;
    const request = made.request(at);
    const promise = made.record(request, 'PROMISE', ['new Promise', 'turn@node_modules/gate/index.js', ...USER], {
      at,
    });
    const detail = { ms: delay(i) };
    made.record(request, 'Timeout', ['setTimeout@node:timers', 'turn@node_modules/gate/index.js', ...USER], {
      at,
      detail,
    });
    made.record(request, 'PROMISE', USER, { at, triggerId: promise });
  }
  return made;
}

test('timers whose turns come later and later are the queue of a rate limit', () => {
  const [finding] = found(queued(i => 5000 + i * 150));
  expect(finding).toMatchObject({ faultClass: 'queue.backlog', paced: { everyMs: 350, longestMs: 6050 } });
});

test('a time limit that is the same for all, and pauses in no order, are no queue', () => {
  expect(found(queued(() => 30_000))).toEqual([]);
  expect(found(queued(i => 5000 + ((i * 7) % 5) * 400))).toEqual([]);
});

test('calls whose names are still looked up wait for names, not for their peer', () => {
  const made = new MadeDump();
  for (let i = 0; i < 6; i++) {
    const at = i * 100;
    const request = made.request(at);
    const promise = made.record(request, 'PROMISE', ['new Promise', 'ask@app.js', ...USER], { at });
    made.record(request, 'GETADDRINFOREQWRAP', ['ask@app.js', ...USER], { at, detail: { peer: 'far.example' } });
    made.record(request, 'PROMISE', USER, { at, triggerId: promise });
    const call = {
      host: 'far.example:80',
      path: '/',
      method: 'GET',
      status: 0,
      state: 'no-answer',
      request,
      at,
    } as const;
    made.calls.push({ ...call, library: 'http', answeredAt: 0, end: 0 });
  }
  const [finding] = found(made);
  expect(finding).toMatchObject({ faultClass: 'downstream.slow', lookups: { count: 6, host: 'far.example' } });
  expect(finding?.place?.function).toBe('ask');
});

test('what was over long before the wait is not what was waited for', () => {
  const made = new MadeDump();
  for (let i = 0; i < 6; i++) {
    const request = made.request(i * 10);
    const promise = made.record(request, 'PROMISE', ['new Promise', 'send@node_modules/mailer/index.js', ...USER]);
    made.record(request, 'RANDOMBYTESREQUEST', ['send@node_modules/mailer/index.js', ...USER], { at: 5, end: 6 });
    made.record(request, 'PROMISE', USER, { triggerId: promise });
  }
  expect(found(made).map(({ faultClass }) => faultClass)).not.toContain('threadpool.saturation');
});

/** Requests that await a thenable `steps` times, one after the other. */
function steps(count: number): MadeDump {
  const made = new MadeDump();
  for (let i = 0; i < 4; i++) {
    const at = i * 10;
    const request = made.request(at, at + count * 250);
    const own = made.record(request, 'PROMISE', ['handle@app.js'], { at, end: at + count * 250 });
    for (let step = 0; step < count; step++) {
      const span = { at: at + step * 250, end: at + step * 250 + 249 };
      const inner = made.record(request, 'PROMISE', ['new Promise', 'get@node_modules/client/index.js', ...USER], span);
      const around = made.record(request, 'PROMISE', USER, { ...span, triggerId: own, executionId: 9999 });
      made.record(request, 'PROMISE', USER, { ...span, triggerId: around, executionId: 9999 });
      const then = ['Promise.then', 'then@node_modules/client/index.js'];
      made.record(request, 'PROMISE', then, { ...span, triggerId: inner, executionId: around });
    }
  }
  return made;
}

test('an awaited thenable is one wait of the application, for what the thenable waits for', () => {
  const [place] = look(steps(8).dump(), undefined).places;
  expect(place).toMatchObject({ perRequest: 8, overlap: 1, maker: 'client', place: { function: 'load' } });
});

test('some quick steps one after the other that make a request slow are told, fewer are not', () => {
  const withCalls = (made: MadeDump) => {
    const call = { host: 'peer:80', path: '/', method: 'GET', status: 200, state: 'done', request: 1, at: 1 } as const;
    made.calls.push({ ...call, library: 'http', answeredAt: 250, end: 250 });
    return made;
  };
  expect(found(withCalls(steps(8)))).toMatchObject([{ faultClass: 'downstream.chatty', few: true }]);
  expect(found(withCalls(steps(4)))).toEqual([]);
});

test("a function that hands on a package's promise is who asked for it", () => {
  const made = new MadeDump();
  for (let i = 0; i < 6; i++) {
    const request = made.request(i * 10);
    const asked = ['new Promise', 'acquire@node_modules/lock/index.js', 'send@app.js', 'handle@app.js'];
    const promise = made.record(request, 'PROMISE', asked);
    made.record(request, 'PROMISE', ['Promise.then', 'handle@app.js'], { triggerId: promise });
  }
  expect(found(made)).toMatchObject([{ faultClass: 'waiting.lock', place: { function: 'send' } }]);
});

test('a time limit that was cleared is no wait', () => {
  const made = new MadeDump();
  const request = made.request(0, 300);
  made.record(request, 'Timeout', ['setTimeout@node:timers', 'limit@node_modules/pool/index.js', ...USER], { end: -1 });
  expect(look(made.dump(), undefined).places).toEqual([]);
});

test('the same targets asked once each by every request are a fan-out; items of a list change', () => {
  const calls = (target: (request: number, i: number) => number) =>
    [1, 2, 3, 4].flatMap(request =>
      Array.from({ length: 40 }, (_, i) => ({
        ...({ host: 'peer:80', path: '/:id', method: 'GET', status: 200, state: 'done', library: 'http' } as const),
        ...{ request, at: request * 100, answeredAt: request * 100 + 50, end: request * 100 + 50 },
        target: target(request, i),
      })),
    );
  const fanOut = (rows: ReturnType<typeof calls>) => callGroups(rows, 4000)[0]?.fanOut;
  expect(fanOut(calls((_, i) => i))).toBe(true);
  const [some] = calls((_, i) => i);
  const single = some ? [5, 6, 7, 8].map(request => ({ ...some, request })) : [];
  expect(fanOut([...calls((_, i) => i), ...single])).toBe(true);
  expect(fanOut(calls((request, i) => request * 20 + i))).toBe(false);
  expect(fanOut(calls(() => 1))).toBe(false);
});

/** One operation of a route that serves others too: sixty items, ending at `endOf(i)`. */
function listOf(endOf: (i: number) => number): MadeDump {
  const made = new MadeDump();
  for (let n = 0; n < 6; n++) {
    const at = n * 500;
    const request = made.request(at, at + 300);
    made.record(request, 'PROMISE', ['notices@app.js'], { at, end: at + 200 });
  }
  const request = made.request(100, 500);
  for (let i = 0; i < 60; i++) {
    const promise = made.record(
      request,
      'PROMISE',
      ['new Promise', 'ask@node_modules/client/index.js', 'author@app.js'],
      {
        at: 120,
      },
    );
    made.record(request, 'PROMISE', ['author@app.js'], { at: 120, end: endOf(i), triggerId: promise });
    if (endOf(i) !== endOf(0))
      made.calls.push({
        ...{ host: 'authors:80', path: '/authors/:id', method: 'GET', status: 200, state: 'done', request, at: 120 },
        ...{ library: 'http', answeredAt: endOf(i), end: endOf(i) },
      } as MadeDump['calls'][number]);
  }
  return made;
}

test('a list that one of many operations of a route asks for piece by piece is told', () => {
  expect(found(listOf(i => 200 + 4 * i))[0]).toMatchObject({
    faultClass: 'downstream.chatty',
    place: { function: 'author' },
  });
});

test('what a batch answers ends at once', () => {
  const asked = (made: MadeDump) =>
    look(made.dump(), undefined).places.find(({ place }) => place.function === 'author');
  expect(asked(listOf(() => 400))).toMatchObject({ perRequest: 60, endings: 1 });
  expect(asked(listOf(i => 200 + 4 * i))).toMatchObject({ endings: 60 });
});

test('calls that are made until one succeeds are retries, whatever share of all fails', () => {
  const call = (request: number, at: number, status: number) =>
    ({
      ...{ host: 'stock:80', path: '/stock/:id', method: 'GET', status, state: 'done', request, at },
      ...{ library: 'http', answeredAt: at + 50, end: at + 50 },
    }) as MadeDump['calls'][number];
  const calls = (statuses: readonly number[]) =>
    callGroups(
      Array.from({ length: 6 }, (_, r) => statuses.map((status, i) => call(r + 1, r * 500 + i * 90, status))).flat(),
      4000,
    )[0];
  expect(calls([503, 503, 200])).toMatchObject({ afterFailure: 1, perRequest: 3 });
  expect(calls([200, 503, 200])).toMatchObject({ afterFailure: 0.5 });
});
