import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Collector } from '../../src/collectors/collector.js';
import { heapSnapshotCollector } from '../../src/collectors/heap-snapshot.js';
import { withHeapReading } from '../../src/heap-reading.js';
import { attach } from '../../src/inspector/attach.js';
import type { EventBody } from '../../src/model/event.js';
import type { HeapSnapshotFile } from '../../src/model/evidence/heap-snapshot.js';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { NotificationDraft } from '../../src/model/notification.js';
import type { OperatorView } from '../../src/model/skill.js';
import { heldGrowth } from '../../src/skills/heap-holders.js';
import { context } from '../collect-context.js';
import { launch } from '../launch.js';

/** What no walk over collections reaches: reactions of a promise that never settles, and a list behind a WeakMap. */
const RACE = `
const stopped = new Promise(() => {});
async function work(i) { return Promise.race([stopped, Promise.resolve({ i, rows: new Array(50).fill(i) })]); }
setInterval(() => { for (let i = 0; i < 60; i++) void work(i); }, 10);
console.log('ready');
`;
const WEAK = `
class Connection {}
const connection = new Connection();
const notes = new WeakMap([[connection, { head: null }]]);
const remember = i => { const note = notes.get(connection); note.head = { next: note.head, data: new Array(40).fill(i) }; };
for (let i = 0; i < 40000; i++) remember(i);
setInterval(() => { for (let i = 0; i < 60; i++) remember(i); }, 10);
console.log('ready');
`;
const CALM = `
const kept = Array.from({ length: 1000 }, (_, i) => ({ i }));
setInterval(() => kept.map(one => ({ ...one })), 10);
console.log('ready');
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-held-'));
  for (const [name, text] of Object.entries({ race: RACE, weak: WEAK, calm: CALM }))
    writeFileSync(join(folder, `${name}.cjs`), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Watches a program for a second as a run does. */
async function watched(name: string) {
  await using program = await launch(join(folder, `${name}.cjs`), { cwd: folder });
  const session = await attach({ pid: program.pid });
  const events: EventBody[] = [];
  const collectors = withHeapReading(new Map(), { evidenceDirectory: folder, emit: event => void events.push(event) });
  const collector = collectors.get('heap-snapshot') as unknown as Collector<'heap-snapshot'>; // put there above
  try {
    const { data, partial } = await collector.collect(session, { name, growthSeconds: 1 }, context);
    return { data, partial, events };
  } finally {
    await session.detach();
  }
}

/** Plays the step with one answer for whatever it asks. */
async function drafts(data: HeapSnapshotFile | undefined): Promise<NotificationDraft[]> {
  const status = data ? 'ok' : 'refused';
  const answer: Evidence = {
    id: 'heap-snapshot-1',
    kind: 'heap-snapshot',
    takenAt: 0,
    pausedMs: 0,
    costMs: 0,
    status,
    data,
  };
  const ask = () => ({ next: async () => ({ done: true, value: answer }), [Symbol.asyncIterator]: () => ask() });
  // The step asks and nothing else while there are no allocation sites.
  const see = { target: { cwd: folder }, ask } as unknown as OperatorView;
  const step = heldGrowth(see, { evidenceIds: ['growth-1'], sites: [], severity: () => 'warning' });
  const last = await step.next();
  if (!last.done) throw new Error('it asked for a tool');
  return last.value;
}

test('what a promise that never settles holds is told by the variable it is in; a small heap needs one heapSnapshot', async () => {
  const { data, partial, events } = await watched('race');
  expect(partial).toBeUndefined();
  expect(data.dated?.by).toBe('tracking');
  expect(events).toMatchObject([{ type: 'artifact.saved', artifact: { kind: 'heapSnapshot', path: data.path } }]);
  const [draft] = await drafts(data);
  expect(draft).toMatchObject({
    faultClass: 'memory.leak.promise',
    culprit: { file: 'race.cjs', line: 2, via: ['`stopped` in race.cjs', 'Promise'] },
    evidenceIds: ['growth-1', 'heap-snapshot-1'],
    confidence: 'high',
  });
});

test('a list behind a WeakMap is told by the key that keeps it; a larger heap is compared with an earlier heapSnapshot', async () => {
  const { data, events } = await watched('weak');
  expect(data.dated?.by).toBe('two heapSnapshots');
  expect(events).toHaveLength(2);
  const [draft] = await drafts(data);
  expect(draft).toMatchObject({ faultClass: 'memory.leak.collection', culprit: { file: 'weak.cjs', line: 3 } });
  expect(draft?.context).toContain('`connection` in weak.cjs → Connection → (WeakMap entry) Object');
});

test('a program that keeps nothing new has no holder, and a refused reading says nothing', async () => {
  const { data } = await watched('calm');
  expect(data.reading?.growth?.holders).toEqual([]);
  expect(await drafts(data)).toEqual([]);
  expect(await drafts(undefined)).toEqual([]);
});

test('without a folder there is no file', async () => {
  await using program = await launch(join(folder, 'calm.cjs'));
  const session = await attach({ pid: program.pid });
  await expect(heapSnapshotCollector.collect(session, {}, context)).rejects.toThrow('no folder');
  await session.detach();
  expect(existsSync('heap.heapsnapshot')).toBe(false);
});
