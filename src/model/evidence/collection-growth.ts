import type { ScriptPosition } from '../location.js';

export interface CollectionGrowthParams {
  /** How long sizes are watched, in seconds. 20 separates a cache still filling from a leak; 10 does not. Default 20. */
  readonly seconds?: number;
  /** Leave early when nothing has grown by then, in seconds. Default 6; 0 watches to the end. */
  readonly quietAfter?: number;
  /** Waits until the process is so old, in seconds: one that has just begun fills whatever it has. Default 0. */
  readonly warmSeconds?: number;
}

/** One step from a root to a container, as the scope walk took it. */
export type PathStep =
  /** `module /srv/app/store.js`, `process`, `globalThis`; for a module its script, where it is known. */
  | { readonly kind: 'root'; readonly name: string; readonly script?: ScriptPosition }
  | { readonly kind: 'property'; readonly name: string }
  | { readonly kind: 'private'; readonly name: string }
  | { readonly kind: 'getter'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  /** One of many elements, whichever was looked at. */
  | { readonly kind: 'element' }
  | { readonly kind: 'map-value'; readonly key?: string }
  | { readonly kind: 'map-key' }
  | { readonly kind: 'set-value' }
  | { readonly kind: 'prototype' }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly scope: 'module' | 'closure';
      /** The function whose scope showed the variable: the variable lives in the same script. */
      readonly seenBy: ScriptPosition;
      readonly function: string;
    }
  /** What a bound function, a proxy or a settled promise holds: `[[BoundThis]]`, `[[Target]]`, `[[PromiseResult]]`. */
  | { readonly kind: 'internal'; readonly name: string };

export type ContainerKind =
  | 'Map'
  | 'Set'
  | 'Array'
  /** A dictionary: its keys are counted. */
  | 'object'
  /** An object with a number field beside its links: a list, a ring, a counter of entries. */
  | 'list'
  /** A dictionary too big to list without a pause; its size is an estimate and is not read again. */
  | 'huge-object'
  /** A chain of objects that hold each other through the same property. */
  | 'chain'
  /** A text that is appended to: its characters are counted. */
  | 'string'
  /** Timers of one duration and callback. */
  | 'timers';

/** What the newest entry of a container is. */
export interface EntrySample {
  readonly type:
    | 'function'
    /** Pending: a settled one is an object like any other. */
    | 'promise'
    | 'deferred'
    | 'timer'
    | 'buffer'
    | 'context'
    | 'module'
    | 'error'
    | 'string'
    | 'number'
    | 'object'
    | 'other';
  /** For a person: `Object {id,body,headers,…}`, `function onData`, `Buffer 65536 B view of 65536 B`. */
  readonly text: string;
  /** Marginal bytes of one more entry, what it shares with the others left out. */
  readonly bytes: number;
  /** The part of `bytes` that lies in ArrayBuffers, outside V8's heap. */
  readonly externalBytes: number;
  /** The newest entry's key where it is a text: a module's url, say. At most 200 characters. */
  readonly key?: string;
  /** Where the function was written that the entry is, or that it first holds. */
  readonly code?: ScriptPosition;
  readonly codeName?: string;
  /** Where the application's function was written that a package's function of the entry closes over. */
  readonly within?: ScriptPosition;
  /** True when every sampled function was compiled in a script of its own: code is made at run time. */
  readonly ownScripts?: boolean;
}

/** A number on the holder that reads like a bound: `max`, `ttl`, `capacity`. */
export interface HolderLimit {
  readonly name: string;
  readonly value: number;
}

export interface Container {
  readonly path: readonly PathStep[];
  readonly kind: ContainerKind;
  /** Constructor's name of the container itself; for timers the name of the callback. */
  readonly className: string;
  /** Constructor's name of the object whose property the container is. */
  readonly ownerClass?: string;
  /** Where that constructor was written: a package's class makes the holder a package's. */
  readonly ownerCode?: ScriptPosition;
  /** Where the container's own class was written, if it extends Map, Set or Array. */
  readonly classCode?: ScriptPosition;
  readonly size: number;
  readonly limits: readonly HolderLimit[];
  readonly timer?: TimerKind;
}

export interface TimerKind {
  readonly ms: number;
  readonly repeats: boolean;
  readonly callback?: ScriptPosition;
}

export interface GrowingContainer extends Container {
  /** Sizes at `times`; null where this one was not read. */
  readonly sizes: readonly (number | null)[];
  readonly perSecond: number;
  readonly entry: EntrySample;
  /** perSecond times the marginal bytes of an entry. */
  readonly bytesPerSecond: number;
  /** Set where the row stands for so many containers, one in each element of a collection; sizes are sums, scaled up from those seen. */
  readonly kin?: number;
  /** True when the path goes through one of several elements and no other of them has such a container: they share it. */
  readonly alone?: boolean;
  /** True when the container was replaced by a bigger one between the walks: only two sizes are known. */
  readonly replaced?: boolean;
}

export interface SizedContainer extends Container {
  readonly entry: EntrySample;
  /** size times the marginal bytes of an entry: a rough total. */
  readonly bytes: number;
}

/** Memory of the target at one reading of the sizes. */
export interface MemorySample {
  /** Seconds since the first reading. */
  readonly at: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly rssBytes: number;
  readonly nativeContexts: number;
  readonly timers: number;
  /** Open TCP connections and pipes that keep the loop alive. */
  readonly sockets?: number;
}

/** Each closure's variable leads to an older closure of the same function: what one was made for keeps all before it. */
export interface ClosureChain {
  /** From the root to the first closure's variable. */
  readonly path: readonly PathStep[];
  /** As many as were followed; there may be thousands more. */
  readonly links: number;
}

export interface WalkCost {
  readonly cpuMs: number;
  readonly longestSliceMs: number;
  readonly wallMs: number;
  readonly objects: number;
  readonly functions: number;
  readonly containers: number;
  /** True when a bound ended the walk: what lies further was not seen. */
  readonly cut: boolean;
}

/** Which containers hold more entries than before, who holds them, and what an entry costs. */
export interface CollectionGrowth {
  /** Between the first and the last reading of the sizes. */
  readonly seconds: number;
  /** Seconds since the first reading, one per entry of `sizes`. */
  readonly times: readonly number[];
  /** Containers bigger at the end than at the start, most bytes per second first; at most 20. */
  readonly growing: readonly GrowingContainer[];
  /** How many containers grew at all. */
  readonly grewCount: number;
  /** The biggest containers whether they grow or not, by rough total bytes; at most 12. */
  readonly biggest: readonly SizedContainer[];
  readonly memory: readonly MemorySample[];
  /** heapUsed, and V8's contexts, after a forced full collection near the start and at the end; absent when the guard refused one. */
  readonly liveHeap?: {
    readonly firstBytes: number;
    readonly lastBytes: number;
    readonly seconds: number;
    readonly firstContexts?: number;
    readonly lastContexts?: number;
  };
  readonly modules: { readonly commonjs: number; readonly esm: number; readonly packages: number };
  /** Scripts alive by url at the start and the end, where their number rose; only read when memory grew unexplained. */
  readonly scripts?: readonly { readonly url: string; readonly first: number; readonly last: number }[];
  /** The application's own files, as loaded by the end: where a holder without a name is searched for. At most 80. */
  readonly applicationScripts?: readonly { readonly scriptId: string; readonly url: string }[];
  /** Chains of closures that grew between the walks. */
  readonly closureChains?: readonly ClosureChain[];
  readonly walks: readonly WalkCost[];
  /** Dictionaries that were too big to be listed, by estimated number of keys. */
  readonly unlisted: readonly number[];
  /** True when the watching ended early because nothing grew. */
  readonly stoppedEarly: boolean;
  /** How long the target had been up when the watching began. */
  readonly uptimeSeconds: number;
}
