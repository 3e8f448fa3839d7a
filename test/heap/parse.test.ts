import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { MalformedSnapshot } from '../../src/heap/malformed.js';
import { parse, snapshotsOf } from './files.js';

let real: Buffer;
beforeAll(() => {
  [real] = snapshotsOf(
    'class Thing { constructor(i) { this.i = i; } } globalThis.things = [1, 2, 3].map(i => new Thing(i)); snapshot();',
  ) as [Buffer];
});

/** A file by hand: the field order is odd, there are fields that nobody knows, and spaces where V8 has none. */
const ODD = {
  snapshot: {
    meta: {
      node_fields: ['id', 'type', 'mood', 'name', 'edge_count', 'self_size'],
      node_types: ['number', ['synthetic', 'object', 'novelty'], 'number', 'string', 'number', 'number'],
      edge_fields: ['to_node', 'type', 'name_or_index', 'weight'],
      edge_types: ['node', ['property', 'element'], 'string_or_number', 'number'],
      location_fields: ['object_index', 'script_id', 'line', 'column'],
      surprise: { deep: [1, { a: 'b]}' }] },
    },
    node_count: 2,
    edge_count: 2,
  },
  novelty: { text: 'with ] and } and \\" inside', list: [1.5e3, null, true] },
  flag: false,
  number: -1.5e-7,
  nodes: [1, 0, 7, 0, 2, 0, 3, 2, 7, 1, 0, 5_000_000_000],
  edges: [6, 0, 2, 9, 6, 1, 4_000_000_000, 9],
  locations: [6, 12, 3, 4],
  strings: ['', 'Gadget "é"', 'held', '\u0001\ud83d\ude00'],
};

const bytesOf = (value: unknown, space?: number) => new TextEncoder().encode(JSON.stringify(value, null, space));

describe('a file whose fields are in another order and has unknown ones', () => {
  test.each([undefined, 2])('is read by its own description (indent %s)', indent => {
    const file = parse(bytesOf(ODD, indent), [7]);
    expect([file.nodeCount, file.edgeCount, [...file.id], [...file.target]]).toEqual([2, 2, [1, 3], [1, 1]]);
    expect(file.strings.text(file.nameIndex[1]!)).toBe('Gadget "é"');
    expect(file.strings.text(3)).toBe('\u0001\ud83d\ude00');
    expect(file.wideSizes.get(1)).toBe(5_000_000_000);
    expect(file.wideNames.get(1)).toBe(4_000_000_000);
    expect(file.locations.positions[file.locations.position[0]!]).toEqual({ scriptId: 12, line: 3, column: 4 });
  });
});

describe('chunks', () => {
  const columns = (file: ReturnType<typeof parse>) => [
    hash(file.kind),
    hash(file.nameIndex),
    hash(file.id),
    hash(file.selfSize),
    hash(file.firstEdge),
    hash(file.label),
    hash(file.target),
    file.strings.count,
    file.strings.text(file.strings.count - 1),
    file.locations.count,
  ];
  const hash = (array: ArrayLike<number>) => {
    let sum = 17;
    for (let i = 0; i < array.length; i++) sum = (Math.imul(sum, 31) + array[i]!) | 0;
    return sum;
  };

  test('may end anywhere: columns are the same for every way to cut a real file', () => {
    const whole = columns(parse(real, [real.length]));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 }), sizes => {
        expect(columns(parse(real, sizes))).toEqual(whole);
      }),
      { numRuns: 12 },
    );
    expect(columns(parse(real, [1]))).toEqual(whole);
  });

  test('columns are what JSON.parse reads from the same file', () => {
    const json = JSON.parse(real.toString('utf8'));
    const file = parse(real);
    const { node, edge } = file.layout;
    const column = (list: number[], width: number, field: number) => list.filter((_, i) => i % width === field);
    expect([...file.id]).toEqual(column(json.nodes, node.width, node.id));
    expect([...file.nameIndex]).toEqual(column(json.nodes, node.width, node.name));
    expect([...file.target]).toEqual(column(json.edges, edge.width, edge.toNode).map((at: number) => at / node.width));
    expect([...file.label].map(word => word >>> 29)).toEqual(column(json.edges, edge.width, edge.type));
    expect(json.strings.every((text: string, i: number) => file.strings.text(i) === text)).toBe(true);
  });
});

describe('a file that is wrong is refused with the place', () => {
  const broken = (change: (file: typeof ODD & Record<string, unknown>) => void) => {
    const copy = structuredClone(ODD);
    change(copy);
    return () => parse(bytesOf(copy));
  };
  test.each([
    ['not JSON at all', () => parse(new TextEncoder().encode('hello')), 'it starts with "h" (byte 0'],
    ['empty', () => parse(new Uint8Array()), 'ends too early (byte 0'],
    [
      'an edge out of range',
      broken(f => {
        f.edges[0] = 12;
      }),
      'to_node points behind the last of 2 nodes, record 0',
    ],
    [
      'an edge into the middle of a node',
      broken(f => {
        f.edges[4] = 7;
      }),
      'into the middle of a node, record 1',
    ],
    [
      'an unknown type',
      broken(f => {
        f.nodes[1] = 9;
      }),
      'type 9 of 3, record 0',
    ],
    [
      'too few nodes',
      broken(f => {
        f.nodes.length = 6;
      }),
      '1 nodes of 2 promised',
    ],
    [
      'half a node',
      broken(f => {
        f.nodes.length = 9;
      }),
      'ends within a record, record 1, field name',
    ],
    [
      'too many edges',
      broken(f => {
        f.edges.push(0, 0, 0, 0);
      }),
      'more edges than the 2 promised',
    ],
    [
      'wrong edge counts',
      broken(f => {
        f.nodes[4] = 1;
      }),
      'the nodes claim 1 edges of 2',
    ],
    [
      'a negative number',
      broken(f => {
        f.nodes[0] = -1;
      }),
      'unexpected "-", record 0, field id',
    ],
    [
      'a fraction',
      broken(f => {
        f.edges[0] = 1.5;
      }),
      'unexpected "."',
    ],
    [
      'a text that is not there',
      broken(f => {
        f.nodes[3] = 99;
      }),
      'a node is named by text 99',
    ],
    [
      'a text that is a number',
      broken(f => {
        f.strings[2] = 5 as unknown as string;
      }),
      'unexpected "5", text 2',
    ],
    [
      'no types',
      broken(f => {
        f.snapshot.meta.node_types = [];
      }),
      'meta.node_types[type]',
    ],
    [
      'a missing field',
      broken(f => {
        f.snapshot.meta.edge_fields = ['to_node', 'type'];
      }),
      'no field name_or_index',
    ],
    [
      'a huge count',
      broken(f => {
        f.snapshot.node_count = 1e12;
      }),
      'lens reads up to',
    ],
  ])('%s', (_name, read, message) => {
    expect(read).toThrow(MalformedSnapshot);
    expect(read).toThrow(message);
  });

  test('a head that promises more than the file can hold is refused before memory is taken', () => {
    const head = { ...ODD, snapshot: { ...ODD.snapshot, node_count: 2e9, edge_count: 2e9 } };
    expect(() => parse(bytesOf(head), [1000], { totalBytes: 1000 })).toThrow('the file has 1000');
    expect(() => parse(bytesOf(head), [1000])).toThrow('more than the 4096 MiB that lens can analyse at once');
    const small = { ...ODD, snapshot: { ...ODD.snapshot, node_count: 2e7, edge_count: 6e7 } };
    expect(() => parse(bytesOf(small), [1000], { memoryCeiling: 2 ** 30 })).toThrow('the ceiling is 1024 MiB');
  });

  test('cut off at any byte, a real file gives a located error', () => {
    fc.assert(
      fc.property(fc.nat(real.length - 2), length => {
        expect(() => parse(real.subarray(0, length))).toThrow(MalformedSnapshot);
      }),
      { numRuns: 40 },
    );
  });
});
