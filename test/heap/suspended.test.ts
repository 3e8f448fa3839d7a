import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { suspendedCollector } from '../../src/collectors/suspended.js';
import { doHeapJob } from '../../src/commands/heap/job.js';
import { answerText } from '../../src/commands/heap/text.js';
import { attach } from '../../src/inspector/attach.js';
import type { Suspended } from '../../src/model/evidence/suspended.js';
import { context } from '../collect-context.js';
import { launch } from '../launch.js';

const PROGRAM = `
const kept = [];
const never = () => new Promise(resolve => { kept.push(resolve); });
async function inner() { await Promise.resolve(); await never(); }
async function middle() {
  return inner();
}
async function outer() { await Promise.all([middle(), 1]); }
async function raced() { await Promise.race([never(), new Promise(resolve => setTimeout(resolve, 60000))]); }
async function paused() { await new Promise(resolve => setTimeout(() => { kept.push(1); resolve(); }, 60000)); }
const server = require('node:http').createServer((request, response) => { serve(request, response); });
async function serve(request, response) { await never(); response.end(); }
for (let i = 0; i < 3; i++) outer();
raced(); paused(); inner().then(function after() {});
server.listen(0, () => require('node:http').get({ port: server.address().port }).once('socket', socket =>
  socket.once('connect', () => setTimeout(console.log, 50, 'ready'))));
`;

const said = ({ stacks }: Suspended) =>
  stacks
    .map(({ count, timed, serving, frames }) => {
      const chain = frames.map(frame => `${frame.function}:${frame.line}`).join(' < ');
      return `${count} ${chain}${timed ? ' by a timer' : ''}${serving ? ' with a request' : ''}`;
    })
    .sort();

test.each([18, 20, 22, 24, 26] as const)('Node %i: every function that waits is told with its line', async node => {
  await using program = await launch(PROGRAM, { node });
  const session = await attach({ pid: program.pid });
  try {
    const collector = suspendedCollector(async path => {
      const result = await doHeapJob({ kind: 'suspended', path, cwd: '/' });
      return result.kind === 'suspended' ? result.chains : [];
    });
    const { data, pausedMs } = await collector.collect(session, {}, context);
    expect(said(data)).toEqual([
      '1 inner:4 < after:14',
      '1 paused:10 by a timer',
      '1 raced:9 by a timer',
      '1 serve:12 with a request',
      '3 inner:4 < outer:8',
    ]);
    expect(pausedMs).toBeGreaterThan(0);
  } finally {
    expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
  }
});

test('a heap that would take too long is left alone, says what would allow it, and books what was spent', async () => {
  await using program = await launch(PROGRAM);
  const session = await attach({ pid: program.pid });
  const collector = suspendedCollector(() => Promise.reject(new Error('no file was to be read')));
  const left = await collector.collect(session, {}, { ...context, mayPause: () => false });
  expect(left.partial).toMatch(/stop the target for about .* --max-pause \d+/);
  const unread = await collector.collect(session, {}, context);
  expect(unread.partial).toContain('no file was to be read');
  expect([left, unread].map(({ data }) => data)).toEqual([
    { stacks: [], chains: 0 },
    { stacks: [], chains: 0 },
  ]);
  expect(Math.min(left.pausedMs ?? 0, unread.pausedMs ?? 0)).toBeGreaterThan(0);
  await session.detach();
});

test('a file is asked for it, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lens-test-'));
  const path = join(folder, 'one.heapsnapshot');
  await using program = await launch(`${PROGRAM.replace("'ready'", "'open'")};
    setTimeout(() => { require('node:v8').writeHeapSnapshot(${JSON.stringify(path)}); console.log('ready'); }, 200);`);
  try {
    expect(program.stdout()).toContain('ready');
    const question = { ask: 'waiting', offset: 0, limit: 3 } as const;
    const result = await doHeapJob({ kind: 'question', path, question, cwd: '/' });
    const text = result.kind === 'question' ? answerText(result.answer, { path, cwd: '/' }) : '';
    expect(text.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^3 × inner\(\) .+:4$/),
      expect.stringMatching(/^ {4}← outer\(\) .+:8$/),
    ]);
    expect(text).toMatch(/1–3 of 5; next page: --offset 3$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
