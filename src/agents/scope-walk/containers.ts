import type { ContainerKind, HolderLimit } from '../../model/evidence/collection-growth.js';
import { withoutPrefix } from '../text.js';
import {
  isArray,
  isObject,
  mapEntries,
  mapSize,
  nextOfMap,
  nextOfSet,
  own,
  ownKeys,
  plainKeys,
  setSize,
  setValues,
} from './intrinsics.js';

/** A container under watch: weakly held, its place known by its node in the walk's tree. */
export interface Watched {
  readonly ref: WeakRef<object>;
  /** Whose property it is. */
  readonly owner: WeakRef<object> | undefined;
  /** The nearest object with a class above it. */
  readonly maker: WeakRef<object> | undefined;
  readonly kind: Exclude<ContainerKind, 'timers'>;
  /** The number field of a list, the link of a chain, the property of a string; none for a string in a variable. */
  readonly key: PropertyKey | undefined;
  readonly node: number;
  readonly first: number;
  sizes: (number | null)[] | undefined;
  gone: boolean;
  /** The latest walk has met its owner again. */
  ownerLives: boolean;
  /** Reading its size takes over 2 ms: every fourth reading only. */
  slow: boolean;
}

/** A dictionary above this many keys is counted by string keys alone, which is several times cheaper. */
const MANY_KEYS = 4000;
/** A chain is counted up to this many links at each reading. */
const MAX_CHAIN = 20_000;
/** Entries passed over to reach the newest: half a millisecond. */
const MAX_PASSED = 10_000;
const SIZE_FIELDS = ['length', 'size', '_length', '_size', 'count', '_count'];
const LIMIT_STARTS = ['max', 'limit', 'ttl'];
const LIMIT_NAMES = [
  ...['capacity', 'stdttl', 'std_ttl', 'bound', 'threshold'],
  ...['expire', 'expires', 'expirein', 'expiresin', 'expireafter', 'expiresafter'],
];
/** A field's name that reads like a bound: `maxEntries`, `#max`, `_ttl`. */
export function isLimit(field: string): boolean {
  const name = withoutPrefix(withoutPrefix(field, '#'), '_').toLowerCase();
  return LIMIT_NAMES.includes(name) || LIMIT_STARTS.some(start => name.startsWith(start));
}

const OPTION_FIELDS = ['options', '_options', 'opts', 'config'];

/** Current number of entries; undefined when it can't be told. */
export function sizeOf(
  object: object,
  kind: Watched['kind'],
  key: PropertyKey | undefined,
  last: number,
): number | undefined {
  switch (kind) {
    case 'Map':
      return mapSize(object);
    case 'Set':
      return setSize(object);
    case 'Array':
      return (object as unknown[]).length;
    case 'object':
      return last > MANY_KEYS ? plainKeys(object).length : ownKeys(object).length;
    case 'list':
      return numberField(object, key ?? '');
    case 'chain':
      return chainLength(object, key ?? '');
    case 'string':
      return key === undefined ? last : textLength(own(object, key));
    case 'huge-object':
      return last;
  }
}

const textLength = (value: unknown): number | undefined => (typeof value === 'string' ? value.length : undefined);

function numberField(object: object, key: PropertyKey): number | undefined {
  const value = own(object, key);
  return typeof value === 'number' ? value : undefined;
}

function chainLength(head: object, key: PropertyKey): number {
  let links = 0;
  let mark: object = head;
  for (let at = own(head, key); isObject(at) && at !== mark && links < MAX_CHAIN; at = own(at, key)) {
    // A mark that moves at each power of two meets any ring, also one that doesn't come back to the head.
    if ((links & (links - 1)) === 0) mark = at;
    links++;
  }
  return links;
}

/** The name of a number field that looks like a count of entries, for a small object with links. */
export function sizeField(object: object, keys: readonly PropertyKey[]): string | undefined {
  return SIZE_FIELDS.find(name => {
    const value = keys.includes(name) ? own(object, name) : undefined;
    return typeof value === 'number' && Number.isInteger(value) && value >= 0;
  });
}

const SLOTS_SAMPLED = 32;

/** Of an array's slots, the share that still holds something: queues empty slots before they cut them off. */
export function filledShare(array: readonly unknown[]): number {
  const { length } = array;
  const step = Math.max(1, Math.floor(length / SLOTS_SAMPLED));
  let seen = 0;
  let filled = 0;
  for (let at = 0; at < length; at += step, seen++) {
    const value = own(array, String(at));
    if (value !== undefined && value !== null) filled++;
  }
  return seen === 0 ? 1 : filled / seen;
}

/** The array of a ring buffer with the places of its first and behind its last entry; undefined for anything else. */
export function ringIn(
  object: object,
  keys: readonly PropertyKey[],
  isProxy: (value: unknown) => boolean,
): { readonly slots: readonly unknown[]; readonly head: number; readonly size: number } | undefined {
  const [head, tail] = ['head', 'tail'].map(name => {
    const key = [`_${name}`, name].find(each => keys.includes(each));
    return key === undefined ? undefined : own(object, key);
  });
  if (typeof head !== 'number' || typeof tail !== 'number') return undefined;
  const slots = keys.map(key => own(object, key)).find(value => !isProxy(value) && isArray(value)) as
    | unknown[]
    | undefined; // isArray
  return slots && { slots, head, size: tail >= head ? tail - head : slots.length - head + tail };
}

/** A few entries as [key, value], the newest last where that is cheap to know. */
export function someEntries(object: object, kind: Watched['kind'], key: PropertyKey | undefined): [unknown, unknown][] {
  switch (kind) {
    case 'Array':
      return lastElements(object as unknown[]);
    case 'Map':
      return take(mapEntries(object), nextOfMap, mapSize(object));
    case 'Set':
      return take(setValues(object), nextOfSet, setSize(object)).map(value => [undefined, value]);
    case 'object':
      return ownKeys(object)
        .slice(-4)
        .map(name => [String(name), own(object, name)]);
    case 'list':
      return firstLink(object);
    case 'chain':
      return chainLinks(object, key ?? '');
    case 'string':
    case 'huge-object':
      return [];
  }
}

/** Enough to tell what entries share with each other. */
const SOME = 4;

/** The oldest and the newest three; a Map can only be read from its oldest end, so of a big one the oldest four. */
function take<T>(iterator: Iterator<T>, next: (it: unknown) => IteratorResult<T>, size: number): T[] {
  const out: T[] = [];
  const from = size > MAX_PASSED ? 0 : size - SOME + 1;
  for (let i = 0; out.length < SOME; i++) {
    const { done, value } = next(iterator);
    if (done) break;
    if (i === 0 || i >= from) out.push(value);
  }
  return out;
}

/** The oldest and the newest three: what all new entries are at first (promises that wait, say) the oldest is no more. */
function lastElements(array: readonly unknown[]): [unknown, unknown][] {
  const out: [unknown, unknown][] = [];
  const from = array.length - SOME + 1;
  for (let i = Math.max(1, from); i < array.length; i++) out.push([undefined, own(array, String(i))]);
  return array.length > 0 ? [[undefined, own(array, '0')], ...out] : out;
}

const LINKS_IN = ['next', '_next', 'head', '_head', 'first', '_first', 'root', '_root', '_idleNext'];

/** Its entries can be reached from it. */
export const hasLink = (object: object): boolean => firstLink(object).length > 0;

function firstLink(object: object): [unknown, unknown][] {
  for (const name of LINKS_IN) {
    const value = own(object, name);
    if (isObject(value)) return [[undefined, value]];
  }
  return [];
}

function chainLinks(head: object, key: PropertyKey): [unknown, unknown][] {
  const out: [unknown, unknown][] = [];
  for (let at = own(head, key); isObject(at) && out.length < 4; at = own(at, key)) out.push([undefined, at]);
  // A link reaches all behind it: the furthest is weighed first, so that the nearest adds only itself.
  return out.reverse();
}

/** Number fields of the holder (and of its options) that read like a bound. */
export function limitsOf(owner: object | undefined): HolderLimit[] {
  if (!owner) return [];
  const places = [owner, ...OPTION_FIELDS.map(name => own(owner, name))];
  return places.flatMap(place => (isObject(place) && !isArray(place) ? limitFields(place) : [])).slice(0, 6);
}

function limitFields(object: object): HolderLimit[] {
  const keys = ownKeys(object);
  if (keys.length > 200) return [];
  return keys.flatMap(key => {
    const name = typeof key === 'symbol' ? (key.description ?? '') : String(key);
    const value = isLimit(name) ? own(object, key) : undefined;
    return typeof value === 'number' ? [{ name, value }] : [];
  });
}

/** Fields beside a container, or of it, that look like a bound. */
export function ownerLimits(watched: Watched): ReturnType<typeof limitsOf> {
  const self = watched.kind === 'list' || watched.kind === 'chain' ? watched.ref.deref() : undefined;
  return limitsOf(watched.owner?.deref() ?? self);
}
