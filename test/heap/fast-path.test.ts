import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findEphemerons } from '../../src/heap/analysis/ephemerons.js';
import { Arena } from '../../src/heap/arena.js';
import type { HeapFile } from '../../src/heap/heap-file.js';
import { SPECIAL_TEXTS } from '../../src/heap/parse/special-texts.js';
import { parse } from './files.js';

/** As V8 prints lists (a newline before the comma), or with spaces, which only the slow reader takes. */
type Style = 'as V8' | 'spaced';

const records = (rows: readonly (readonly number[])[], style: Style) =>
  style === 'as V8' ? rows.map(row => `${row.join(',')}\n`).join(',') : rows.map(row => row.join(' , ')).join(' , ');

interface Sketch {
  readonly nodes: readonly (readonly number[])[];
  readonly edges: readonly (readonly number[])[];
  readonly locations: readonly (readonly number[])[];
}

function fileOf({ nodes, edges, locations }: Sketch, style: Style): Uint8Array {
  const types = Array.from({ length: 14 }, (_, i) => (i === 3 ? 'object' : `type${i}`));
  const head = {
    meta: {
      node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', 'trace_node_id', 'detachedness'],
      node_types: [types],
      edge_fields: ['type', 'name_or_index', 'to_node'],
      edge_types: [['context', 'element', 'property']],
      location_fields: ['object_index', 'script_id', 'line', 'column'],
    },
    node_count: nodes.length,
    edge_count: edges.length,
  };
  const lists = [
    `"snapshot":${JSON.stringify(head)}`,
    `"nodes":[${records(nodes, style)}]`,
    `"edges":[${records(edges, style)}]`,
    `"locations":[${records(locations, style)}]`,
    `"strings":["a","b"]`,
  ];
  return new TextEncoder().encode(`{${lists.join(',\n')}}`);
}

/** Every number of digits, up to the widest field. */
const number = (max: number) =>
  fc.integer({ min: 0, max: 10 }).map(digits => Math.min(max, 10 ** digits - (digits % 3)));

const sketches: fc.Arbitrary<Sketch> = fc.integer({ min: 1, max: 40 }).chain(n =>
  fc.record({
    nodes: fc
      .array(fc.tuple(fc.nat(13), fc.nat(1), number(2 ** 32 - 1), number(1e14), number(9), fc.nat(2)), {
        minLength: n,
        maxLength: n,
      })
      .map(rows =>
        rows.map(([type, name, id, size, trace, state], i) => [
          type,
          name,
          id,
          size,
          i === n - 1 ? n : 0,
          trace,
          state,
        ]),
      ),
    edges: fc
      .array(fc.tuple(number(2 ** 32 - 1), fc.nat(n - 1), fc.boolean()), { minLength: n, maxLength: n })
      .map(rows => rows.map(([index, to, isNamed]) => [isNamed ? 2 : 1, isNamed ? index % 2 : index, to * 7])),
    locations: fc
      .array(fc.tuple(fc.nat(n - 1), number(1e9), number(1e9), number(1e6)), { maxLength: 20 })
      .map(rows => rows.map(([node, ...place]) => [node * 7, ...place])),
  }),
);

const contentOf = (file: HeapFile) => ({
  columns: [file.kind, file.nameIndex, file.id, file.selfSize, file.firstEdge, file.label, file.target].map(c => [
    ...c,
  ]),
  wide: [[...file.wideSizes], [...file.wideNames]],
  places: Array.from({ length: file.locations.count }, (_, i) => [
    file.locations.ordinal[i],
    file.locations.positions[file.locations.position[i]!],
  ]),
});

test('the fast readers and the one that takes any spacing read the same, whatever the numbers and chunks', () => {
  fc.assert(
    fc.property(
      sketches,
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
      (sketch, sizes) => {
        const fast = contentOf(parse(fileOf(sketch, 'as V8'), [1 << 20]));
        expect(fast).toEqual(contentOf(parse(fileOf(sketch, 'spaced'), [1 << 20])));
        expect(fast).toEqual(contentOf(parse(fileOf(sketch, 'as V8'), sizes)));
      },
    ),
    { numRuns: 300 },
  );
});

test('one byte that is another is taken, or refused at the same place, whoever reads it', () => {
  const outcome = (bytes: Uint8Array, size: number) => {
    try {
      return contentOf(parse(bytes, [size]));
    } catch (error) {
      return String(error);
    }
  };
  const lists = (bytes: Uint8Array) => {
    const from = Buffer.from(bytes).indexOf('"nodes"');
    return [from, Buffer.from(bytes).indexOf('"locations"') - from] as const;
  };
  fc.assert(
    fc.property(sketches, fc.nat(), fc.constantFrom(...':/,.0-9 \n"x]'), (sketch, where, char) => {
      const bytes = fileOf(sketch, 'as V8');
      const [from, length] = lists(bytes);
      bytes[from + (where % length)] = char.charCodeAt(0);
      expect(outcome(bytes, 1 << 20)).toEqual(outcome(bytes, 1));
    }),
    { numRuns: 500 },
  );
});

const text = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '\n', ',', 'é', '😀', ' '), maxLength: 12 });

function textsFile(texts: readonly string[], between: readonly string[], isEscaped: boolean): Uint8Array {
  const json = (value: string) => {
    const plain = JSON.stringify(value);
    return isEscaped
      ? plain.replace(/[^\x20-\x7e]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
      : plain;
  };
  const whole = new TextDecoder().decode(fileOf({ nodes: [[3, 0, 1, 8, 0, 0, 0]], edges: [], locations: [] }, 'as V8'));
  const list = texts.map((value, i) => (i === 0 ? '' : (between[i % between.length] ?? ',')) + json(value)).join('');
  return new TextEncoder().encode(whole.replace('["a","b"]', () => `[${list}]`));
}

test('texts count, too: a file whose texts are too large is refused where they begin', () => {
  const bytes = textsFile(['a', 'x'.repeat(4_000_000)], [','], false);
  const read = () => parse(bytes, [1 << 20], { totalBytes: bytes.length, memoryCeiling: 2 ** 20 });
  expect(read).toThrow(/need 4 MiB of memory; the ceiling is 1 MiB \(byte \d{3,4}, in snapshot\)/);
  expect(() => parse(bytes, [1 << 20], { totalBytes: bytes.length, memoryCeiling: 2 ** 23 })).not.toThrow();
});

test('texts are read back as they are, however they are cut, escaped and spaced', () => {
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 30 }),
      fc.array(fc.constantFrom(',\n', ',', ' ,\n', ',\r\n', ',\n\n'), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      (texts, between, isEscaped, sizes) => {
        const { strings } = parse(textsFile(texts, between, isEscaped), sizes);
        expect(Array.from({ length: strings.count }, (_, i) => strings.text(i))).toEqual(texts);
        const wanted = texts.slice(0, 3);
        const found = texts.flatMap((value, i) => (wanted.includes(value) ? [[i, value]] : []));
        expect([...strings.find(wanted)]).toEqual(found);
      },
    ),
    { numRuns: 300 },
  );
});

const special = fc.oneof(
  text,
  fc.string({ unit: fc.constantFrom('a', ' ', '"'), minLength: 20, maxLength: 70 }),
  fc.constantFrom(...SPECIAL_TEXTS, 'contexts', 'Objec', '[context'),
  fc.nat(99).map(n => `${n} / part of key (Object @3) -> value (Object @${n}) pair in WeakMap (table @7)`),
);

test('words of V8 and names of WeakMap entries are found, whoever has read the texts, and whatever the chunks', () => {
  const between = fc.array(fc.constantFrom(',\n', ',\n', ',\n', ','), { minLength: 1, maxLength: 4 });
  const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(special, { minLength: 1, maxLength: 40 }), between, sizes, (texts, commas, chunks) => {
      for (const sizes of [[1 << 20], chunks]) {
        const { strings } = parse(textsFile(texts, commas, false), sizes);
        const found = (is: (text: string) => boolean) => texts.flatMap((text, i) => (is(text) ? [i] : []));
        const words = strings.find(SPECIAL_TEXTS, strings.special);
        expect([...words.keys()].sort((a, b) => a - b)).toEqual(found(text => SPECIAL_TEXTS.includes(text)));
        const names = findEphemerons(strings, new Arena()).records.filter((_, i) => i % 3 === 0);
        expect([...names].sort((a, b) => a - b)).toEqual(found(text => /^\d/.test(text)));
      }
    }),
    { numRuns: 300 },
  );
});
