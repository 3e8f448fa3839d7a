import { mkdtemp, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { asyncDumpCollector, trafficCollector } from '../../src/collectors/async-dump.js';
import type { CollectContext } from '../../src/collectors/collector.js';
import { holdersCollector } from '../../src/collectors/holders.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import { look } from '../../src/waiting/findings.js';
import { symptoms } from '../../src/waiting/symptoms.js';
import { type LaunchOptions, launch } from '../launch.js';

const context: CollectContext = {
  signal: new AbortController().signal,
  now: () => performance.now(),
  sleep: ms => sleep(ms),
  exclusively: work => work(),
  mayPause: () => true,
};

const serve = (handler: string) => `
  const http = require('node:http');
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  ${handler}
  const server = http.createServer((request, response) => { handle(request, response); });
  server.listen(0, '127.0.0.1', () => console.log('ready ' + server.address().port));`;

/** Requests at a steady rate until disposed of; answers are not waited for. */
function traffic(port: number): Disposable {
  const agent = new Agent({ keepAlive: true });
  let sent = 0;
  const timer = setInterval(() => {
    get({ port, host: '127.0.0.1', agent, path: `/item/${++sent}` }, answer => answer.resume()).on('error', () => {});
  }, 40);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      agent.destroy();
    },
  };
}

async function watch<T>(
  handler: string,
  node: LaunchOptions['node'],
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const file = join(await mkdtemp(join(tmpdir(), 'lens-')), 'service.cjs');
  await writeFile(file, serve(handler));
  await using program = await launch(file, node === undefined ? {} : { node });
  const port = Number((await program.line('ready')).split(' ')[1]);
  using _ = traffic(port);
  const session = await attach({ pid: program.pid });
  try {
    await sleep(500);
    return await use(session);
  } finally {
    expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
    expect(program.child.exitCode).toBe(null);
  }
}

const dump = async (session: Session) => (await asyncDumpCollector.collect(session, { seconds: 3 }, context)).data;

const FORGOTTEN = `
  function ask(id) {
    return new Promise(resolve => { if (id % 2) setTimeout(resolve, 5); });
  }
  async function handle(request, response) {
    await ask(Number(request.url.split('/')[2]));
    response.end('ok');
  }`;

for (const node of [18, 26] as const) {
  test(`Node ${node}: a promise that one path never settles is named by who made it`, async () => {
    const { findings } = look(await watch(FORGOTTEN, node, dump), undefined);
    expect(findings.map(finding => finding.faultClass)).toEqual(['waiting.unsettled']);
    expect(findings[0]?.maker?.function).toBe('ask');
    expect(findings[0]?.routes).toEqual(['GET /item/:id']);
  });
}

const LOCKED = `
  class Gate {
    queue = []; locked = false;
    enter() { if (!this.locked) { this.locked = true; return Promise.resolve(); } return new Promise(done => this.queue.push(done)); }
    leave() { const next = this.queue.shift(); if (next) next(); else this.locked = false; }
  }
  const gate = new Gate(); let seen = 0;
  async function handle(request, response) {
    await gate.enter();
    if (++seen === 5) return response.end('left early');
    await sleep(1); gate.leave(); response.end('ok');
  }`;

test('a lock that was not given back is a lock, with its queue and whoever waits', async () => {
  const readings = await watch(LOCKED, undefined, async session => {
    const taken = await dump(session);
    return { taken, holders: (await holdersCollector.collect(session, {}, context)).data };
  });
  const { findings } = look(readings.taken, readings.holders);
  expect(findings.map(finding => finding.faultClass)).toEqual(['waiting.lock']);
  expect(findings[0]).toMatchObject({ place: { function: 'handle' }, holder: { name: 'Gate', queue: 'queue' } });
  expect(findings[0]?.holder?.waiting).toBeGreaterThan(10);
});

const STUCK_QUEUE = `
  class Queue {
    concurrency = 1; running = 0; tasks = [];
    push(job) { return new Promise(done => { this.tasks.push({ job, done }); this.next(); }); }
    next() {
      if (this.running >= this.concurrency || this.tasks.length === 0) return;
      this.running++;
      const { job, done } = this.tasks.shift();
      work(job, answer => { this.running--; done(answer); this.next(); });
    }
  }
  const queue = new Queue(); let seen = 0;
  function work(job, done) { if (++seen !== 5) setTimeout(done, 1, 'ok'); }
  async function handle(request, response) { response.end(await queue.push(request.url)); }`;

test('a queue whose worker does not come back is no lock that its callers keep', async () => {
  const readings = await watch(STUCK_QUEUE, undefined, async session => {
    const taken = await dump(session);
    return { taken, holders: (await holdersCollector.collect(session, {}, context)).data };
  });
  const { findings } = look(readings.taken, readings.holders);
  expect(findings[0]).toMatchObject({ faultClass: 'queue.backlog', holder: { name: 'Queue', queue: 'tasks' } });
});

/** A pool of two that keeps those who wait in a ring buffer; each request takes a second connection beside its first. */
const RING_POOL = `
  class Ring {
    _list = new Array(4); _head = 0; _tail = 0;
    push(item) {
      this._list[this._tail] = item;
      this._tail = (this._tail + 1) & (this._list.length - 1);
      if (this._tail === this._head) this.grow();
    }
    grow() {
      const old = this._list, size = old.length;
      this._list = new Array(size * 2);
      for (let at = 0; at < size; at++) this._list[at] = old[(this._head + at) & (size - 1)];
      this._head = 0; this._tail = size;
    }
  }
  class Pool {
    config = { connectionLimit: 2 }; _all = []; _free = []; _connectionQueue = new Ring();
    take() {
      if (this._all.length < this.config.connectionLimit) { this._all.push({}); return Promise.resolve(); }
      return new Promise(resolve => this._connectionQueue.push(resolve));
    }
  }
  const pool = new Pool();
  async function handle(request, response) { await pool.take(); await pool.take(); response.end('ok'); }`;

test('those who stand in a ring buffer are counted by its head and tail, and their pool is told', async () => {
  const readings = await watch(RING_POOL, undefined, async session => {
    const taken = await dump(session);
    return { taken, holders: (await holdersCollector.collect(session, {}, context)).data };
  });
  const { findings } = look(readings.taken, readings.holders);
  expect(findings[0]).toMatchObject({
    faultClass: 'pool.exhaustion',
    holder: { name: 'Pool', queue: '_connectionQueue' },
  });
  const { waiting = 0 } = findings[0]?.holder ?? {};
  expect(waiting).toBeGreaterThan(10);
  expect(Number.isInteger(Math.log2(waiting)) && waiting > 128).toBe(false);
});

test('a service that answers in time gives no reason for hooks', async () => {
  const handler = 'async function handle(request, response) { await sleep(20); response.end("ok"); }';
  const reading = await watch(handler, undefined, session =>
    trafficCollector.collect(session, { seconds: 2 }, context),
  );
  expect(reading.data.requests.length).toBeGreaterThan(20);
  expect(symptoms(reading.data, undefined)).toEqual([]);
});

test('a long poll that ends by its timer is no hang', async () => {
  const handler = 'async function handle(request, response) { await sleep(1500); response.end("none"); }';
  const { findings, flows } = look(await watch(handler, undefined, dump), undefined);
  expect(flows[0]?.out).toBeGreaterThan(10);
  expect(findings).toEqual([]);
});

/** Whoever comes waits for whoever came before; each turn takes longer than the pause between two of them. */
const LINE = `
  let last = Promise.resolve();
  const inTurn = work => { const mine = last.then(work); last = mine.catch(() => {}); return mine; };
  async function handle(request, response) { await inTurn(() => sleep(150)); response.end('ok'); }`;

test('a queue made of promises is a lock, though nothing holds those who wait in it', async () => {
  const { findings } = look(await watch(LINE, undefined, dump), undefined);
  expect(findings[0]).toMatchObject({ faultClass: 'waiting.lock', confidence: 'high', place: { function: 'inTurn' } });
});

/** A lock kept elsewhere: asked for every 30 ms, and one in eight who got it goes away with it. */
const ASKED = `
  const taken = new Set();
  async function enter(name) { while (taken.has(name)) await sleep(30); taken.add(name); }
  let n = 0;
  async function assign(name) { await enter(name); if (++n % 8 === 0) throw new Error('no'); taken.delete(name); }
  async function handle(request, response) { await assign('a').catch(() => {}); response.end('ok'); }`;

test('who sleeps and asks again and again waits for a lock; whoever takes it is named', async () => {
  const { findings } = look(await watch(ASKED, undefined, dump), undefined);
  expect(findings[0]).toMatchObject({ faultClass: 'waiting.lock', place: { function: 'assign' } });
});

/** Answers one in thirty never; a Promise.all waits for the part that is missing. */
const PARTS = `
  let n = 0;
  const part = fails => new Promise(done => { if (!fails) setTimeout(done, 5); });
  async function handle(request, response) {
    await Promise.all([part(false), part(++n % 30 === 0)]);
    response.end('ok');
  }`;

test('one request that can be read speaks for those that hang since before the window', async () => {
  const readings = await watch(PARTS, undefined, async session => {
    await sleep(4000);
    return { taken: await dump(session), holders: (await holdersCollector.collect(session, {}, context)).data };
  });
  expect(look(readings.taken, readings.holders).findings[0]).toMatchObject({
    faultClass: 'waiting.unsettled',
    maker: { function: 'part' },
  });
});

/** As a minifier leaves it: no name says what the list is for, but all in it own the end of a promise. */
const NAMELESS = `
  const _ = [];
  const e = { i: { connectionLimit: 2 }, o: _ };
  let out = 0;
  e.t = () => out < 2 ? (out++, Promise.resolve()) : new Promise((a, b) => { _.push({ a, b }); });
  async function handle(request, response) { await e.t(); response.end('ok'); }`;

test('those who own the end of a promise wait in a list of any name; emptied places count for nobody', async () => {
  const list = await watch(NAMELESS, undefined, async session => {
    await session.evaluate(`globalThis.queue = Array.from({ length: 4000 }, (_, i) => i < 3998 ? null : () => {})`);
    return (await holdersCollector.collect(session, {}, context)).data.holders;
  });
  const found = list.filter(({ queue }) => queue === 'o' || queue === '_');
  expect(found[0]?.waiting).toBeGreaterThan(5);
  expect(list.find(({ queue }) => queue === 'queue')?.waiting ?? 0).toBeLessThan(200);
  expect(list.filter(({ name }) => name === 'ServerResponse')).toEqual([]);
});

/** Two timers: one begins the same work again although it goes on, the other hands out pieces of work that take long. */
const TIMERS = `
  async function survey() { await sleep(9000); }
  setInterval(() => survey(), 600);
  async function deliver(job) { await sleep(60); return job; }
  let job = 0;
  setInterval(() => { deliver(++job); }, 300);
  async function handle(request, response) { response.end('ok'); }`;

test('runs of one job that a timer begins over each other are told, those that end in time are not', async () => {
  const { findings } = look(await watch(TIMERS, undefined, dump), undefined);
  expect(findings.map(({ faultClass, place }) => [faultClass, place?.function])).toEqual([['queue.backlog', 'survey']]);
});
