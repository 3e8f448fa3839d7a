import { describe, expect, test } from 'vitest';
import type { Heap } from '../../src/heap/analyse.js';
import { sizeOf } from '../../src/heap/analysis/own-sizes.js';
import { heapOf, runtimes, snapshotsOf } from './files.js';
import { type Reference, referenceOf } from './reference.js';

/** A little of everything that has its own rule: WeakMaps, weak refs, shapes, classes, buffers, symbols, timers, accessors. */
const PROGRAM = `
class Session { constructor(id) { this.id = id; this.onDone = () => id; this.body = Buffer.alloc(100); } }
const sessions = new Map(); for (let i = 0; i < 300; i++) sessions.set('s' + i, new Session(i));
const table = new WeakMap(); for (const s of sessions.values()) table.set(s, { of: s.id, 'odd, "name"': [1] });
const lonely = new WeakMap(); const key = {}; lonely.set(key, { only: 'here' }); globalThis.keep = { lonely, key };
const refs = [...sessions.values()].map(s => new WeakRef(s));
const rows = Array.from({ length: 500 }, (_, id) => id % 3 ? { id, title: 'row' + id } : { title: 'row' + id, id, extra: id });
const dictionary = {}; for (let i = 0; i < 2000; i++) dictionary['key' + i] = i; delete dictionary.key7;
const sparse = []; sparse[4000000000] = 1; sparse[70000] = {};
const grown = 'a'.repeat(50) + Math.random(); const cut = grown.slice(3, 40);
const registry = new FinalizationRegistry(() => {}); registry.register(rows[0], 'x');
setInterval(() => rows.length, 10000).unref(); Promise.resolve().then(() => rows);
const nothing = Object.create(null); nothing[Symbol('s')] = new Proxy({}, {}); const big = 2n ** 200n;
globalThis.all = { sessions, table, refs, rows, dictionary, sparse, grown, cut, nothing, big, typed: new Float64Array(1000) };
snapshot();`;

describe.each(runtimes())('on a heapSnapshot of $name', ({ path }) => {
  test('sizes, dominators, distances and classes are those of Chrome DevTools', async () => {
    const [bytes] = snapshotsOf(PROGRAM, path);
    const heap = heapOf(bytes!);
    const reference = await referenceOf(bytes!);
    expect(heap.file.nodeCount).toBe(reference.nodeCount);
    expect(differences(heap, reference)).toEqual([]);
    expect(table(heap)).toEqual(referenceTable(reference));
  });
});

function differences(heap: Heap, reference: Reference): string[] {
  const found: string[] = [];
  const compare = (what: string, node: number, ours: unknown, theirs: unknown) => {
    if (ours !== theirs && found.length < 20)
      found.push(`${what} of ${node} (${reference.className(node)}): ${ours} ≠ ${theirs}`);
  };
  for (let node = 0; node < reference.nodeCount; node++) {
    compare('self size', node, sizeOf(heap.file, node), reference.selfSize(node));
    compare('dominator', node, heap.immediate[node], reference.dominatorsTree[node]);
    compare('retained size', node, heap.retained[node], reference.retainedSizes[node]);
    compare('distance', node, heap.distance[node], reference.nodeDistances[node]);
    compare('class', node, heap.classes.list[heap.classes.of[node]!]?.name, reference.className(node));
  }
  return found;
}

const line = (name: string, count: number, self: number, retained: number, distance: number) =>
  `${name} ×${count} self ${self} retained ${retained} distance ${distance}`;

function table({ classes, aggregates }: Heap): string[] {
  const rows = classes.list.map(({ name }, i) =>
    aggregates.count[i]
      ? line(name, aggregates.count[i]!, aggregates.selfSize[i]!, aggregates.retainedSize[i]!, aggregates.distance[i]!)
      : '',
  );
  return rows.filter(Boolean).sort();
}

function referenceTable(reference: Reference): string[] {
  return reference
    .aggregates()
    .map(a => line(a.name, a.count, a.self, a.maxRet, a.distance))
    .sort();
}
