import type * as inspector from 'node:inspector';
import type * as util from 'node:util';
import type { PartHost } from '../host.js';
import { isEnumerable, isObject, own, ownKeys, prototypeOf, SHARED } from './intrinsics.js';

/** What a walk may spend and look at. Measured on 22 services: see the comments. */
export const LIMITS = {
  /** One slice of walking, in milliseconds; as long a pause follows. */
  sliceMs: 4,
  cpuMs: 1500,
  wallMs: 12_000,
  objects: 150_000,
  functions: 6_000,
  /** Of functions with the same source text (routes, class instances' arrows) this many are asked for their scopes. */
  sameText: 8,
  /** Up to this many elements of a collection are all visited; of bigger ones a few. */
  wholeCollection: 64,
  /** From a bigger collection this many from each end and between. */
  sampledElements: 5,
  /** An object with this many own keys counts as a dictionary. */
  dictionaryKeys: 12,
  /** A ring buffer is an array with a head and a tail and little else. */
  ringKeys: 8,
  /** With this many its keys are data, not the names of fields: its entries are of one kind. */
  manyKeys: 32,
  /** Texts of this many characters are watched: logs and pages that are appended to soon have them. */
  longText: 2048,
  texts: 400,
  /** Listing a dictionary's keys can't be sliced: beyond this forecast, in milliseconds, it is left out. */
  longestListingMs: 25,
  /** Links of a chain through the same property that are followed one by one. */
  chainLinks: 24,
  /** Chains whose links are counted at every reading. */
  chains: 300,
  /** Closures of one function in a row before they are told as a chain; `sameText` ends the count. */
  closureChain: 6,
  /** Objects visited after the program's own roots: sockets, timers, handles. */
  lateObjects: 6_000,
  lateFunctions: 300,
  promises: 150,
  /** Objects whose #private fields a compiler put into WeakMaps, and such WeakMaps. */
  compiledObjects: 1000,
  compiledFields: 200,
  /** WeakMaps that are asked, those of packages and in properties among them, and objects that each is asked for: 20 000 in half a millisecond. */
  weakMaps: 64,
  packageWeakMaps: 48,
  weakKeys: 20_000,
} as const;

export interface Realm {
  readonly host: PartHost;
  readonly types: typeof util.types;
  readonly inspector: typeof inspector;
  isContext(object: object): boolean;
  /** Never entered: lens' own state, shared prototypes, process.env. */
  readonly skip: WeakSet<object>;
  /** Node's own functions: asking them for scopes is dear and shows nothing of the program. */
  readonly builtin: WeakSet<object>;
  /** Script ids of `node:` files and of lens. */
  readonly internalScripts: ReadonlySet<string>;
  readonly packageScripts: ReadonlySet<string>;
}

/** Script ids by whose they are. */
interface Scripts {
  readonly internalScripts: readonly string[];
  readonly packageScripts: readonly string[];
}

export function createRealm(host: PartHost, { internalScripts, packageScripts }: Scripts): Realm {
  const { types } = host.require('node:util') as typeof util;
  const { isContext } = host.require('node:vm') as { isContext(o: object): boolean };
  return {
    host,
    types,
    isContext,
    inspector: host.require('node:inspector') as typeof inspector,
    skip: new WeakSet([...SHARED, process.env]),
    builtin: new WeakSet(),
    internalScripts: new Set(internalScripts),
    packageScripts: new Set(packageScripts),
  };
}

/** The constructor's name found along the prototypes without running a getter; empty when there is none. */
export function classOf(realm: Realm, object: object): string {
  try {
    let at: object | null = object;
    for (let depth = 0; depth < 4 && at; depth++) {
      if (realm.types.isProxy(at)) return 'Proxy';
      const maker = own(at, 'constructor');
      if (typeof maker === 'function' && !realm.types.isProxy(maker)) {
        const name = own(maker, 'name');
        return typeof name === 'string' ? name : '';
      }
      // Node 22 made its constructor a getter, to warn whoever reads it; getters are never run here.
      if (typeof own(at, '_compile') === 'function' && typeof own(at, 'require') === 'function') return 'Module';
      at = prototypeOf(at);
    }
  } catch {
    // A revoked proxy among the prototypes.
  }
  return '';
}

/** Methods looked at to find one that a class' author wrote. */
const MOST_METHODS = 20;

/** A function written where an object's class was: its constructor, or a method where old code inherits without one of its own. */
export function codeOfClass(realm: Realm, object: object): object | undefined {
  let at: unknown = prototypeOf(object);
  for (let depth = 0; depth < 4 && isObject(at) && !realm.types.isProxy(at); depth++) {
    const keys = ownKeys(at);
    const first = keys.includes('constructor') ? ['constructor'] : keys.slice(0, MOST_METHODS);
    for (const key of first) {
      const written = own(at, key);
      if (typeof written === 'function' && !realm.types.isProxy(written)) return written;
    }
    at = prototypeOf(at);
  }
  return undefined;
}

/** Lens keeps its state under symbols of its own name. */
export const isLensKey = (key: PropertyKey): boolean =>
  typeof key === 'symbol' && (key.description ?? '').startsWith('lens');

/**
 * Keys whose very descriptor may run a program's code (`stack`, through prepareStackTrace), or that belong to a call in
 * progress. A `stack` that somebody assigned (a router's) is enumerable, the one V8 captured is not.
 */
export function isUntouchable(object: object, key: PropertyKey): boolean {
  if (key === 'stack') return !isEnumerable(object, key);
  return key === 'arguments' || key === 'caller' || isLensKey(key);
}
