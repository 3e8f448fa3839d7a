import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FlowGraph, findDominators } from '../../src/heap/analysis/dominators.js';
import { Arena } from '../../src/heap/arena.js';

interface Sketch {
  readonly n: number;
  readonly edges: readonly (readonly [number, number, boolean])[];
}

const sketches = fc.integer({ min: 1, max: 14 }).chain(n =>
  fc.record({
    n: fc.constant(n),
    edges: fc.array(
      fc.tuple(
        fc.nat(n - 1),
        fc.nat(n - 1),
        fc.boolean().map(weak => weak),
      ),
      { maxLength: 3 * n },
    ),
  }),
);

function graphOf({ n, edges }: Sketch): FlowGraph {
  const sorted = [...edges].sort((a, b) => a[0] - b[0]);
  const firstEdge = new Uint32Array(n + 1);
  for (const [from] of sorted) firstEdge[from + 1]!++;
  for (let i = 0; i < n; i++) firstEdge[i + 1]! += firstEdge[i]!;
  const target = Int32Array.from(sorted, ([from, to, weak]) => (weak || from === to ? ~to : to));
  return opened(firstEdge, target);
}

/** Used again by every graph, so that nothing is taken for zeros that is none. */
const arena = new Arena();

function opened(firstEdge: Uint32Array, target: Int32Array): FlowGraph {
  arena.clear();
  const [nodeCount, edgeCount] = [firstEdge.length - 1, target.length];
  const graph = {
    ...{ nodeCount, edgeCount, root: 0, arena },
    firstEdge: arena.words(nodeCount + 1),
    target: arena.integers(edgeCount),
  };
  graph.firstEdge.set(firstEdge);
  graph.target.set(target);
  arena.open(graph);
  return graph;
}

/** Retaining edges, with one from the root to every node that has none (what DevTools calls orphans). */
function retaining({ n, edges }: Sketch): [number, number][] {
  const strong = edges
    .filter(([from, to, weak]) => !weak && from !== to)
    .map(([from, to]): [number, number] => [from, to]);
  for (let node = 1; node < n; node++) if (!strong.some(([, to]) => to === node)) strong.push([0, node]);
  return strong;
}

function reachable(edges: readonly [number, number][], without: number): Set<number> {
  const seen = new Set(without === 0 ? [] : [0]);
  for (const node of seen) for (const [from, to] of edges) if (from === node && to !== without) seen.add(to);
  return seen;
}

/** d dominates v when v can't be reached without d; the immediate one is dominated by all the others. */
function byDefinition(sketch: Sketch): number[] {
  const edges = retaining(sketch);
  const all = reachable(edges, -1);
  const over = (v: number) => [...all].filter(d => d !== v && !reachable(edges, d).has(v));
  return Array.from({ length: sketch.n }, (_, v) => {
    if (v === 0 || !all.has(v)) return 0;
    const dominators = over(v);
    return dominators.find(d => dominators.every(other => other === d || over(d).includes(other)))!;
  });
}

test('the immediate dominator is the one of the definition, on every small graph', () => {
  fc.assert(
    fc.property(sketches, sketch => {
      expect([...findDominators(graphOf(sketch)).immediate].slice(0, sketch.n)).toEqual(byDefinition(sketch));
    }),
    { numRuns: 3000 },
  );
});

test('the order has every node once and behind its dominator', () => {
  fc.assert(
    fc.property(sketches, sketch => {
      const { immediate, order } = findDominators(graphOf(sketch));
      const place = new Map([...order].map((node, at) => [node, at]));
      expect(place.size).toBe(sketch.n);
      for (let v = 1; v < sketch.n; v++) expect(place.get(immediate[v]!)!).toBeLessThan(place.get(v)!);
    }),
  );
});

test('a chain of ten million nodes neither overflows a stack nor takes long', () => {
  const n = 10_000_000;
  const firstEdge = Uint32Array.from({ length: n + 1 }, (_, i) => Math.min(i, n - 1));
  const target = Int32Array.from({ length: n - 1 }, (_, i) => i + 1);
  const { immediate } = findDominators(opened(firstEdge, target));
  expect([immediate[1], immediate[n - 1]]).toEqual([0, n - 2]);
});

test('a ladder of back edges, the worst case of path compression, ends soon', () => {
  const n = 300_000;
  const edges: [number, number][] = [];
  for (let v = 0; v < n - 1; v++) edges.push([v, v + 1]);
  for (let v = 1; v < n; v++) edges.push([v, Math.max(1, v >> 1)], [n - 1 - (v >> 2), v]);
  const immediate = findDominators(graphOf({ n, edges: edges.map(([a, b]) => [a, b, false] as const) })).immediate;
  expect(immediate[1]).toBe(0);
});
