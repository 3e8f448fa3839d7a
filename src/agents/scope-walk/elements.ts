import { type DetailedEdge, EDGES, type Edge } from './graph.js';
import { mapEntries, mapSize, nextOfMap, nextOfSet, own, setSize, setValues } from './intrinsics.js';
import { LIMITS } from './realm.js';

/** What stands in a collection: all of a small one, a few of a big one. `add` gets each with the edge that leads to it. */
type Add = (value: unknown, edge: Edge) => void;

export function arrayElements(array: readonly unknown[], add: Add): void {
  const { length } = array;
  const whole = length <= LIMITS.wholeCollection;
  for (const index of whole ? range(length) : sampledIndices(length))
    add(own(array, String(index)), whole ? { kind: 'index', index } : EDGES.ELEMENT);
}

export function mapElements(map: object, add: Add): void {
  const whole = mapSize(map) <= LIMITS.wholeCollection;
  const entries = mapEntries(map);
  for (let left = whole ? LIMITS.wholeCollection : LIMITS.sampledElements * 2; left > 0; left--) {
    const { done, value: entry } = nextOfMap(entries);
    if (done) break;
    const [key, value] = entry as [unknown, unknown];
    add(value, mapValueEdge(key, whole));
    add(key, EDGES.MAP_KEY);
  }
}

export function setElements(set: object, add: Add): void {
  const values = setValues(set);
  const whole = setSize(set) <= LIMITS.wholeCollection;
  for (let left = whole ? LIMITS.wholeCollection : LIMITS.sampledElements * 2; left > 0; left--) {
    const { done, value } = nextOfSet(values);
    if (done) break;
    add(value, EDGES.SET_VALUE);
  }
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Indices of a few elements: both ends and some between. */
export function sampledIndices(length: number): number[] {
  const k = LIMITS.sampledElements;
  const chosen = range(k).flatMap(i => [i, length - 1 - i, Math.floor((length * (i + 0.5)) / k)]);
  return [...new Set(chosen)].filter(index => index >= 0 && index < length);
}

function mapValueEdge(key: unknown, whole: boolean): DetailedEdge {
  if (!whole) return { kind: 'map-value' };
  const text = typeof key === 'string' ? key.slice(0, 40) : typeof key === 'number' ? String(key) : typeof key;
  return { kind: 'map-value', key: text };
}
