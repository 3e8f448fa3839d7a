import type { DetailedEdge } from './graph.js';
import { isObject, weaklyHeld } from './intrinsics.js';
import { LIMITS } from './realm.js';

interface Key {
  readonly object: object;
  readonly node: number;
}

/** A WeakMap in a variable is found wherever a key of it lies (`edge`); one in a property where that is (`node`). */
export type Held = { readonly map: object } & ({ readonly edge: DetailedEdge } | { readonly node: number });

/** What WeakMaps hold for objects that the walk comes by: they can't be listed, only asked. */
export class WeakValues {
  private keys: Key[] = [];
  private readonly known = new Set<object>();
  private maps: Held[] = [];
  private others = 0;

  /** `found` gets each value once its key and its map are known. */
  constructor(private readonly found: (key: Key, held: Held, value: object) => void) {}

  noteKey(object: object, node: number): void {
    if (this.keys.length >= LIMITS.weakKeys) return;
    const key = { object, node };
    this.keys.push(key);
    for (const held of this.maps) this.look(key, held);
  }

  /** Packages keep many: their number is bounded, and the application's own have places of their own. */
  noteMap(held: Held, isOwn: boolean): void {
    if (this.known.has(held.map) || this.maps.length >= LIMITS.weakMaps) return;
    if (!isOwn && this.others++ >= LIMITS.packageWeakMaps) return;
    this.known.add(held.map);
    this.maps.push(held);
    for (const key of this.keys) this.look(key, held);
  }

  forget(): void {
    this.keys = [];
    this.maps = [];
    this.known.clear();
  }

  private look(key: Key, held: Held): void {
    const value = weaklyHeld(held.map, key.object);
    if (isObject(value)) this.found(key, held, value);
  }
}
