import { expect, test } from 'vitest';
import { DEFAULT_MAX_PAUSE_MS } from '../../src/collectors/guard.js';
import { initialState, reduce } from '../../src/report/state.js';
import { investigate } from '../../src/run.js';
import { cpu } from '../../src/skills/cpu.js';
import { eventLoop } from '../../src/skills/event-loop.js';
import { launch } from '../launch.js';

async function diagnose(pid: number) {
  let state = initialState;
  let ids = 0;
  return investigate(
    { pid },
    { reason: '', skills: [cpu, eventLoop], safety: 'normal', maxPauseMs: DEFAULT_MAX_PAUSE_MS },
    {
      now: Date.now,
      newId: prefix => `${prefix}-${++ids}`,
      traceId: 'test',
      version: 'test',
      emit: event => {
        state = reduce(state, { at: Date.now(), runId: 'test', traceId: 'test', ...event });
      },
      state: () => state,
      keep: () => ({}),
      sleep: ms => new Promise(wake => setTimeout(wake, ms)),
      interrupt: new AbortController().signal,
    },
  );
}

/** 150 ms of synchronous key derivation, measured at start so that it lasts as long on any machine. */
const SYNC_CRYPTO = `
const crypto = require('node:crypto');
let rounds = 20000;
function derive() {
  return crypto.pbkdf2Sync('secret', 'salt', rounds, 64, 'sha512');
}
const began = process.hrtime.bigint();
derive();
rounds = Math.ceil(rounds * 150 / Math.max(1, Number(process.hrtime.bigint() - began) / 1e6));
setInterval(function login() { derive(); }, 600);
console.log('ready');
`;

/** The same time of work in thirty short pieces: load, not a block. */
const BURSTS = `
function piece(end) { let n = 0; while (n < end) n++; return n; }
let size = 100000;
const began = process.hrtime.bigint();
piece(size);
size = Math.ceil(size * 2 / Math.max(0.05, Number(process.hrtime.bigint() - began) / 1e6));
setInterval(() => { for (let i = 0; i < 30; i++) setTimeout(piece, 1, size); }, 600);
console.log('ready');
`;

/** A consumer that asks again and again for what comes 200 ms later: each round is short, and none lets the loop turn. */
const CHAIN = `
let due = 0;
let queued = 0;
setInterval(() => { queued++; due = Date.now() + 200; }, 900);
const take = async () => (queued === 0 || Date.now() < due ? undefined : queued--);
async function follow() {
  for (;;) {
    const item = await take();
    if (item === undefined && queued === 0) await new Promise(wake => setTimeout(wake, 10));
  }
}
follow();
console.log('ready');
`;

/** Forty waiters of one promise go on at once, each for 4 ms: they are resumed by microtasks and are a load all the same. */
const RESUMED = `
const row = size => { let n = 0; for (let i = 0; i < size; i++) n += i % 7; return n; };
async function handler(answer) { await answer; for (let i = 0; i < 40; i++) row(60000); }
setInterval(() => {
  const answer = new Promise(settle => setTimeout(settle, 20));
  for (let i = 0; i < 40; i++) handler(answer);
}, 900);
console.log('ready');
`;

/** A batch job that fills a core, a little at a time: setImmediate lets the loop turn after each. */
const TURNS = `
const page = Array.from({ length: 20_000 }, (_, i) => 'w' + (i % 2500));
function work() {
  const counts = new Map();
  for (const word of page) counts.set(word, (counts.get(word) ?? 0) + 1);
  setImmediate(work);
}
work();
console.log('ready');
`;

test('a synchronous call that blocks the loop is named with its function and line', async () => {
  await using target = await launch(SYNC_CRYPTO);
  const { insights } = await diagnose(target.pid);
  expect(insights).toHaveLength(1);
  expect(insights[0]).toMatchObject({ faultClass: 'loop.block.sync-api', culprit: { function: 'derive' } });
});

test('thirty short calls at once are load, not a fault', async () => {
  await using target = await launch(BURSTS);
  const { insights } = await diagnose(target.pid);
  expect(insights).toEqual([]);
});

test('a chain of microtasks that keeps the loop from turning is named by the function that awaits', async () => {
  await using target = await launch(CHAIN);
  const { insights } = await diagnose(target.pid);
  expect(insights[0]).toMatchObject({ faultClass: 'loop.starvation', culprit: { function: 'follow' } });
});

test('many handlers that one promise resumes together are load, not starvation', async () => {
  await using target = await launch(RESUMED);
  const { insights } = await diagnose(target.pid);
  expect(insights.filter(({ faultClass }) => faultClass === 'loop.starvation')).toEqual([]);
});

test('a batch job that goes on with setImmediate starves nobody', async () => {
  await using target = await launch(TURNS);
  const { insights } = await diagnose(target.pid);
  expect(insights.filter(({ faultClass }) => faultClass === 'loop.starvation')).toEqual([]);
});
