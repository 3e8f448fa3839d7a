import type { DetailedEdge } from './graph.js';
import { isObject, weaklyHeld } from './intrinsics.js';
import { LIMITS } from './realm.js';

interface Key {
  readonly object: object;
  readonly node: number;
}

interface Held {
  readonly map: object;
  readonly edge: DetailedEdge;
}

/** What a WeakMap of the application holds for objects that the walk comes by: it can't be listed, only asked. */
export class WeakValues {
  private keys: Key[] = [];
  private maps: Held[] = [];

  /** `found` gets each value once its key and its map are known. */
  constructor(private readonly found: (key: Key, map: object, edge: DetailedEdge, value: object) => void) {}

  noteKey(object: object, node: number): void {
    if (this.keys.length >= LIMITS.weakKeys) return;
    const key = { object, node };
    this.keys.push(key);
    for (const held of this.maps) this.look(key, held);
  }

  noteMap(map: object, edge: DetailedEdge): void {
    if (this.maps.length >= LIMITS.ownWeakMaps || this.maps.some(held => held.map === map)) return;
    const held = { map, edge };
    this.maps.push(held);
    for (const key of this.keys) this.look(key, held);
  }

  forget(): void {
    this.keys = [];
    this.maps = [];
  }

  private look(key: Key, { map, edge }: Held): void {
    const value = weaklyHeld(map, key.object);
    if (isObject(value)) this.found(key, map, edge, value);
  }
}
