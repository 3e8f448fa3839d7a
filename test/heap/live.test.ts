import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guard } from '../../src/collectors/guard.js';
import { heapSnapshotCollector } from '../../src/collectors/heap-snapshot.js';
import { doHeapJob } from '../../src/commands/heap/job.js';
import { attach } from '../../src/inspector/attach.js';
import { context } from '../collect-context.js';
import { launch } from '../launch.js';

const LEAK = `
const sessions = new Map();
function open(id) { sessions.set('s' + id, { id, token: 'token ' + id, tags: ['a' + id] }); }
for (let id = 0; id < 20000; id++) open(id);
setInterval(() => open(sessions.size), 1000);
console.log('ready');
`;
const MB = 1024 * 1024;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-live-'));
  writeFileSync(join(folder, 'leak.cjs'), LEAK);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a heapSnapshot of a running process goes to a file, and names the holder by variable and file', async () => {
  await using program = await launch(join(folder, 'leak.cjs'));
  const session = await attach({ pid: program.pid });
  try {
    const { data, pausedMs } = await heapSnapshotCollector.collect(
      session,
      { directory: join(folder, 'evidence') },
      context,
    );
    expect(statSync(data.path).size).toBe(data.bytes);
    expect(statSync(data.path).mode & 0o077).toBe(0);
    expect(pausedMs).toBeGreaterThan(0);
    const result = await doHeapJob({ kind: 'question', path: data.path, question: { ask: 'summary' }, cwd: folder });
    const summary = result.kind === 'question' && result.answer.ask === 'summary' ? result.answer.summary : undefined;
    expect(summary?.suspects[0]).toMatchObject({ kind: 'map', path: { text: '`sessions` in leak.cjs → Map' } });
    expect(summary?.suspects[0]?.children[0]?.count).toBeGreaterThanOrEqual(20_000);
  } finally {
    await session.detach();
  }
});

test('a target that dies meanwhile leaves no half file behind', async () => {
  await using program = await launch(join(folder, 'leak.cjs'));
  const session = await attach({ pid: program.pid });
  const reading = heapSnapshotCollector.collect(session, { directory: folder, name: 'cut' }, context);
  program.child.kill('SIGKILL');
  await expect(reading).rejects.toThrow();
  expect(existsSync(join(folder, 'cut.heapsnapshot'))).toBe(false);
  await session.detach();
});

test('the guard refuses it unless asked to be bold, and then by pause and memory', () => {
  const basis = { heapUsedBytes: 300 * MB, availableBytes: 16_384 * MB };
  const refusal = (safety: 'normal' | 'bold', maxPauseMs: number, availableBytes = basis.availableBytes) =>
    guard(safety, maxPauseMs).refusal(heapSnapshotCollector, { ...basis, availableBytes }, { directory: '' });
  expect(refusal('normal', 100_000)).toMatch(/about 45 s and take 4\.\d GB; it needs --safety bold/);
  expect(refusal('bold', 1500)).toMatch(/more than 1\.5 s/);
  expect(refusal('bold', 100_000, 3000 * MB)).toMatch(/only 2\.9 GB are left/);
  expect(refusal('bold', 100_000)).toBeUndefined();
});
