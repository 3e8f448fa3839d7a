import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { analyse, answerQuestion, HeapView, MalformedSnapshot } from '../../src/heap/index.js';
import { parse, snapshotsOf } from './files.js';

let real: Buffer;
beforeAll(() => {
  [real] = snapshotsOf('globalThis.things = new Map([[1, { a: 1 }]]); snapshot();') as [Buffer];
});

/** Reads whatever it is given to the last answer; the only error it may end with is one that says where. */
function survive(bytes: Uint8Array, chunk = 4096): 'read' | 'refused' {
  try {
    const view = new HeapView(analyse(parse(bytes, [chunk], { totalBytes: bytes.length })));
    answerQuestion(view, { ask: 'summary' });
    answerQuestion(view, { ask: 'paths', id: view.id(view.nodeCount - 1), offset: 0, limit: 5 });
    answerQuestion(view, { ask: 'retainers', id: view.id(view.nodeCount >> 1), offset: 0, limit: 5 });
    return 'read';
  } catch (error) {
    if (!(error instanceof MalformedSnapshot)) throw error;
    expect(error.message).toMatch(/\(byte \d+, in .+\)/);
    return 'refused';
  }
}

test('any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => survive(bytes) === 'refused'));
});

test('any JSON', () => {
  fc.assert(fc.property(fc.json(), text => survive(new TextEncoder().encode(text)) === 'refused'));
});

test('a real file with bytes changed, doubled and dropped', () => {
  const change = fc.record({ at: fc.nat(real.length - 1), byte: fc.integer({ min: 0, max: 255 }), drop: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
      let bytes = Buffer.from(real);
      for (const { at, byte, drop } of changes) {
        bytes[at % bytes.length] = byte;
        if (drop > 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + drop)]);
      }
      survive(bytes, 65_536);
    }),
    { numRuns: 40 },
  );
});

test('a real file whose digits are other digits: every number may lie', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(real.length - 1), fc.integer({ min: 0, max: 9 })), { maxLength: 200 }),
      changes => {
        const bytes = Buffer.from(real);
        for (const [at, digit] of changes) if (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) bytes[at] = 0x30 + digit;
        survive(bytes, 65_536);
      },
    ),
    { numRuns: 25 },
  );
});

interface Sketch {
  readonly nodes: readonly number[][];
  readonly edges: readonly number[][];
}

const NODE_TYPES = [
  'hidden',
  'array',
  'string',
  'object',
  'code',
  'closure',
  'native',
  'synthetic',
  'concatenated string',
];
const EDGE_TYPES = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];
const TEXTS = ['', 'Object', 'system / Context', 'context', 'previous', 'shared', 'script', 'first', 'second', '/app/a.js',
  'system / SourceTextModule', 'system / Cell', 'extension', '(map descriptors)', '__proto__', 'Map', 'table',
  '1 / part of key (Object @1) -> value (Object @3) pair in WeakMap (table @5)']; // biome-ignore format: a list

/** Well-formed files of nonsense: cycles, contexts that enclose themselves, modules that export themselves. */
const sketches: fc.Arbitrary<Sketch> = fc.integer({ min: 1, max: 30 }).chain(n =>
  fc.record({
    nodes: fc.array(
      fc.tuple(fc.nat(NODE_TYPES.length - 1), fc.nat(TEXTS.length - 1), fc.nat(40), fc.nat(100_000), fc.nat(2)),
      { minLength: n, maxLength: n },
    ) as fc.Arbitrary<number[][]>,
    edges: fc.array(fc.tuple(fc.nat(n - 1), fc.nat(EDGE_TYPES.length - 1), fc.nat(TEXTS.length - 1), fc.nat(n - 1)), {
      maxLength: 4 * n,
    }) as fc.Arbitrary<number[][]>,
  }),
);

function fileOf({ nodes, edges }: Sketch): Uint8Array {
  const count = (node: number) => edges.filter(([from]) => from === node).length;
  const sorted = [...edges].sort((a, b) => a[0]! - b[0]!);
  return new TextEncoder().encode(
    JSON.stringify({
      snapshot: {
        meta: {
          node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', 'detachedness'],
          node_types: [NODE_TYPES, 'string', 'number', 'number', 'number', 'number'],
          edge_fields: ['type', 'name_or_index', 'to_node'],
          edge_types: [EDGE_TYPES, 'string_or_number', 'node'],
          location_fields: ['object_index', 'script_id', 'line', 'column'],
        },
        node_count: nodes.length,
        edge_count: edges.length,
      },
      nodes: nodes.flatMap(([type, name, id, size, state], node) => [type, name, id, size, count(node), state]),
      edges: sorted.flatMap(([, type, name, to]) => [type, name, to! * 6]),
      locations: nodes.flatMap((_, node) => (node % 3 === 0 ? [node * 6, node % 5, node, 1] : [])),
      strings: TEXTS,
    }),
  );
}

test('well-formed nonsense is read to the last answer', () => {
  fc.assert(
    fc.property(sketches, sketch => {
      expect(survive(fileOf(sketch))).toBe('read');
    }),
    { numRuns: 400 },
  );
});

test('a chain of a million nodes is analysed whole, in one go', () => {
  const n = 1_000_000;
  const head = JSON.parse(new TextDecoder().decode(fileOf({ nodes: [[3, 1, 1, 8, 0]], edges: [] })));
  const parts = [`{"snapshot":${JSON.stringify({ ...head.snapshot, node_count: n, edge_count: n - 1 })},"nodes":[`];
  for (let i = 0; i < n; i++) parts.push(`${i ? ',' : ''}3,1,${i},8,${i < n - 1 ? 1 : 0},0\n`);
  parts.push('],"edges":[');
  for (let i = 1; i < n; i++) parts.push(`${i > 1 ? ',' : ''}2,15,${i * 6}\n`);
  parts.push(`],"strings":${JSON.stringify(TEXTS)}}`);
  const heap = analyse(parse(Buffer.from(parts.join('')), [1 << 20]));
  expect([heap.retained[0], heap.distance[n - 1]]).toEqual([8 * n, n - 1]);
});
