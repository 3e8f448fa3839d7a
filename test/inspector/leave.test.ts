import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { attach } from '../../src/inspector/attach.js';
import { listeningSockets } from '../../src/inspector/proc/sockets.js';
import { launch } from '../launch.js';

const IDLE = `setInterval(() => {}, 1000); console.log('ready')`;
const HAS_LENS = `globalThis[Symbol.for('lens.v1')] !== undefined`;

test.each([18, 20, 26] as const)('Node %i: when lens is killed, the target takes lens back by itself', async node => {
  await using program = await launch(
    `setInterval(() => { if (globalThis[Symbol.for('lens.v1')] === undefined && this.seen) console.log('gone');
       this.seen ||= globalThis[Symbol.for('lens.v1')] !== undefined }, 20); console.log('ready')`,
    { node },
  );
  const lens = spawn(process.execPath, ['--import', 'tsx', 'test/inspector/attach-and-stay.ts', String(program.pid)]);
  onTestFinished(() => void lens.kill('SIGKILL'));
  await once(lens.stdout, 'data');
  expect(await listeningSockets(program.pid)).toHaveLength(1);
  lens.kill('SIGKILL');
  await program.line('gone');
  while ((await listeningSockets(program.pid)).length > 0) await new Promise(resolve => setTimeout(resolve, 20));
  expect(program.child.exitCode).toBe(null);
  await (await attach({ pid: program.pid })).detach();
});

test('a stuck target is left with its inspector closed', async () => {
  await using program = await launch(`console.log('ready'); setTimeout(() => { for (;;); }, 50)`);
  await new Promise(resolve => setTimeout(resolve, 100));
  const session = await attach({ pid: program.pid });
  expect(await session.loopTurns(300)).toBe(false);
  expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
  expect(await listeningSockets(program.pid)).toEqual([]);
});

test.each([18, 24] as const)('Node %i: an inspector closed during a block does not open again after it', async node => {
  await using program = await launch(
    `console.log('ready');
     setTimeout(() => { for (const end = Date.now() + 2500; Date.now() < end; ); setTimeout(() => console.log('later'), 500) }, 30);
     setInterval(() => {}, 1000)`,
    { node },
  );
  await new Promise(resolve => setTimeout(resolve, 100));
  const session = await attach({ pid: program.pid });
  expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
  await program.line('later');
  expect(await listeningSockets(program.pid)).toEqual([]);
  expect(program.child.exitCode).toBe(null);
});

test('what was put into the target is taken back newest first, once, and detach may be called twice', async () => {
  await using program = await launch(IDLE, { inspect: true });
  const session = await attach({ pid: program.pid });
  const undone: string[] = [];
  session.onDetach(async () => void undone.push('first'));
  session.onDetach(async () => void undone.push('second'));
  const early = session.onDetach(async () => void undone.push('early'));
  await early();
  session.onDetach(() => Promise.reject(new Error('stubborn')));
  expect(await session.evaluate(HAS_LENS)).toBe(true);
  const [left, again] = await Promise.all([session.detach(), session.detach()]);
  expect(undone).toEqual(['early', 'second', 'first']);
  expect(left).toBe(again);
  expect(left).toEqual({ inspectorClosed: false, residue: ['An observation could not be taken back: stubborn'] });
});

test('a target that dies aborts the session and rejects what was pending', async () => {
  await using program = await launch(IDLE);
  const session = await attach({ pid: program.pid });
  const call = session.evaluate('for (;;);').catch((error: unknown) => error);
  program.child.kill('SIGKILL');
  expect(await call).toMatchObject({ code: 'target-lost' });
  if (!session.lost.aborted) await once(session.lost, 'abort');
  expect(session.lost.reason).toMatchObject({ code: 'target-lost' });
  expect(await session.detach()).toMatchObject({ residue: [] });
});

test("an inspector that a killed lens opened is the next lens' to close", async () => {
  await using program = await launch(IDLE);
  const lens = spawn(process.execPath, ['--import', 'tsx', 'test/inspector/attach-and-stay.ts', String(program.pid)]);
  await once(lens.stdout, 'data');
  lens.kill('SIGKILL');
  await once(lens, 'exit');
  const session = await attach({ pid: program.pid });
  expect(session.openedInspector).toBe(true);
  expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
});

test('worker threads answer as the main thread does', async () => {
  await using program = await launch(
    `const { Worker } = require('worker_threads');
     const w = new Worker("setInterval(() => {}, 1000); globalThis.mine = 7; require('worker_threads').parentPort.postMessage(1)", { eval: true });
     w.on('message', () => console.log('ready'))`,
  );
  const session = await attach({ pid: program.pid });
  const [worker, ...rest] = await session.workers();
  expect(rest).toEqual([]);
  expect(await worker?.evaluate('mine')).toBe(7);
  expect(await worker?.evaluate(`require('node:worker_threads').isMainThread`)).toBe(false);
  expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
});
