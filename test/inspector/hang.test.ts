import { expect, test } from 'vitest';
import { hangCollector } from '../../src/collectors/hang.js';
import { attach } from '../../src/inspector/attach.js';
import { TargetBlockedError } from '../../src/inspector/native-block.js';
import type { Hang } from '../../src/model/evidence/hang.js';
import { type LaunchOptions, launch } from '../launch.js';

const context = {
  signal: new AbortController().signal,
  now: () => performance.now(),
  sleep: (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms)),
  exclusively: <T>(work: () => Promise<T>) => work(),
  mayPause: () => true,
};

/** Says ready, then runs the sick statement from a timer, in a function of this name. */
const sick = (body: string) => `
  function culprit() { ${body} }
  setInterval(() => {}, 1000);
  console.log('ready');
  setTimeout(culprit, 30);`;

async function hangOf(body: string, options: LaunchOptions = {}): Promise<Hang> {
  await using program = await launch(sick(body), options);
  await new Promise(resolve => setTimeout(resolve, 150));
  const session = await attach({ pid: program.pid });
  try {
    const { data, pausedMs } = await hangCollector.collect(session, { seconds: 0.5 }, context);
    expect(pausedMs).toBeLessThan(1000);
    return data;
  } finally {
    expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
    expect(program.child.exitCode).toBe(null);
  }
}

const functions = (hang: Hang) => hang.stack.map(frame => frame.function);

test.each([18, 20, 22, 24, 26] as const)('Node %i: an endless loop is caught with its stack', async node => {
  const hang = await hangOf('let turns = 0; for (;;) turns++;', { node });
  expect(hang.kind).toBe('javascript');
  expect(functions(hang)).toContain('culprit');
  expect(hang.stack[0]?.line).toBe(2);
  expect(hang.agreement).toBeGreaterThan(0.8);
  expect(hang.locals.map(local => local.name)).toContain('turns');
});

test('a regular expression that backtracks is caught with its pattern and the length of its subject', async () => {
  const hang = await hangOf(`const pattern = /^(a+)+$/; const subject = 'a'.repeat(60) + '!'; pattern.test(subject);`);
  expect(hang.kind).toBe('javascript');
  expect(functions(hang)).toContain('culprit');
  expect(hang.locals).toEqual(
    expect.arrayContaining([
      { name: 'pattern', description: 'RegExp /^(a+)+$/' },
      { name: 'subject', description: 'string of 61 characters' },
    ]),
  );
});

test('a loop of serialization is caught in its caller', async () => {
  const hang = await hangOf(
    `const big = Array.from({ length: 2e4 }, (_, i) => ({ i })); for (;;) JSON.stringify(big);`,
  );
  expect(hang.kind).toBe('javascript');
  expect(functions(hang)).toContain('culprit');
});

test('Atomics.wait on the main thread is caught', async () => {
  const hang = await hangOf('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
  expect(functions(hang)).toContain('culprit');
});

test.each([
  ['promises', 'Promise.resolve().then(culprit)'],
  ['nextTick', 'process.nextTick(culprit)'],
])('starvation by %s is told from a call that does not return', async (_, body) => {
  const hang = await hangOf(body);
  expect(hang.kind).toBe('microtasks');
  expect([...hang.stack, ...hang.hot].map(frame => frame.function)).toContain('culprit');
});

test.each([20, 26] as const)('Node %i: a storm of setImmediate turns the loop and is seen', async node => {
  const hang = await hangOf('setImmediate(culprit)', { node });
  expect(hang.kind).toBe('immediates');
  expect(hang.immediatesPerSecond).toBeGreaterThan(1000);
});

test('a healthy busy loop is not hung', async () => {
  const hang = await hangOf('const end = Date.now() + 15; while (Date.now() < end); setTimeout(culprit, 5)');
  expect(hang).toMatchObject({ kind: 'turns', stack: [], hot: [] });
});

// These wait for time limits and need no core.
test.concurrent.each([
  ['pbkdf2Sync', `require('crypto').pbkdf2Sync('a', 'b', 3e7, 64, 'sha512')`, /computing in native code/],
  ['a read of a FIFO', `require('fs').readFileSync(process.argv[1])`, /blocked in the system call (openat|open)/],
])('%s blocks in native code: described from /proc, never waited for', async (what, body, summary) => {
  const fifo = `/tmp/lens-test-${process.pid}.fifo`;
  const { execFileSync } = await import('node:child_process');
  if (what.includes('FIFO')) execFileSync('mkfifo', [fifo]);
  try {
    await using program = await launch(sick(body), { args: [fifo] });
    await new Promise(resolve => setTimeout(resolve, 150));
    const startedAt = performance.now();
    const error = await attach({ pid: program.pid }).catch(error => error);
    expect(performance.now() - startedAt).toBeLessThan(8000);
    expect(error).toBeInstanceOf(TargetBlockedError);
    expect(error.block.summary).toMatch(summary);
    expect(program.child.exitCode).toBe(null);
  } finally {
    if (what.includes('FIFO')) execFileSync('rm', [fifo]);
  }
});

test.concurrent('an inspector that was open before a native block takes connections: lens still says blocked', async () => {
  await using program = await launch(sick(`require('child_process').execSync('exec sleep 20')`), { inspect: true });
  await new Promise(resolve => setTimeout(resolve, 150));
  const error = await attach({ pid: program.pid }).catch(error => error);
  expect(error).toBeInstanceOf(TargetBlockedError);
  expect(error.message).toContain('sleep 20');
  const [child] = (error as TargetBlockedError).block.children;
  if (child) process.kill(child.pid, 'SIGKILL'); // its parent is about to be killed, and would not take it along
});
