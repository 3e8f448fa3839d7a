import { startsCapital } from '../text.js';
import { describeKey, isArray, isObject, ownKeys, prototypeOf } from './intrinsics.js';
import { isUntouchable, type Realm } from './realm.js';

/** Loading these has effects (warnings, hooks) or they hold the program's own things. */
const NOT_ASKED = new Set([
  'sys',
  'punycode',
  'domain',
  'wasi',
  'sqlite',
  'test',
  'inspector',
  '_stream_wrap',
  'trace_events',
]);
const WITH_SLASH = new Set(['fs/promises', 'timers/promises', 'stream/promises']);
/** Keys under which Node's own objects hold the program's. */
const PROGRAMS_OWN = new Set<PropertyKey>(['globalAgent', '_cache', 'cache', '_events', '_pathCache']);

interface ModuleLibrary {
  readonly builtinModules: readonly string[];
  readonly _cache: object;
}

/**
 * Remembers Node's own functions, from the modules already loaded and the constructors on globalThis. Not asking them
 * for scopes took the walk from 800 to 180 ms.
 */
export function markBuiltins(realm: Realm): void {
  const library = realm.host.require('node:module') as ModuleLibrary;
  const loaded = new Set((process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList);
  const avoid = new Set<unknown>([globalThis, library._cache, process, process.env]);
  const marker = new Marker(realm, avoid);
  for (const name of library.builtinModules) {
    if (NOT_ASKED.has(name) || (name.includes('/') && !WITH_SLASH.has(name)) || !loaded.has(`NativeModule ${name}`))
      continue;
    try {
      marker.put(realm.host.require(`node:${name}`), 0);
    } catch {
      // A module that this version only lists.
    }
  }
  for (const key of ownKeys(globalThis)) marker.global(key);
  marker.run();
}

class Marker {
  private readonly seen = new Set<object>();
  private readonly queue: { readonly object: object; readonly depth: number }[] = [];

  constructor(
    private readonly realm: Realm,
    private readonly avoid: ReadonlySet<unknown>,
  ) {}

  put(value: unknown, depth: number): void {
    if (!isObject(value) || this.seen.has(value) || this.realm.types.isProxy(value)) return;
    this.seen.add(value);
    if (typeof value === 'function') this.realm.builtin.add(value);
    if (depth < 3) this.queue.push({ object: value, depth });
  }

  global(key: PropertyKey): void {
    if (isUntouchable(globalThis, key)) return;
    const descriptor = describeKey(globalThis, key);
    if (typeof descriptor?.value === 'function' && startsCapital(String(key)) && nativeText(descriptor.value))
      this.put(descriptor.value, 1);
    this.accessors(descriptor);
  }

  run(): void {
    for (let next = this.queue.pop(); next; next = this.queue.pop()) this.look(next.object, next.depth);
  }

  private look(object: object, depth: number): void {
    if (this.avoid.has(object) || isArray(object) || this.realm.types.isMap(object)) return;
    for (const key of ownKeys(object)) {
      if (isUntouchable(object, key) || PROGRAMS_OWN.has(key)) continue;
      const descriptor = this.describe(object, key);
      this.accessors(descriptor);
      const value: unknown = descriptor?.value;
      if (typeof value === 'function' || key === 'prototype' || (depth < 1 && isObject(value) && !isArray(value))) {
        this.put(value, depth + 1);
      }
    }
    const prototype = prototypeOf(object);
    if (prototype && prototype !== Object.prototype && prototype !== Function.prototype) this.put(prototype, depth + 1);
  }

  private describe(object: object, key: PropertyKey): PropertyDescriptor | undefined {
    try {
      return describeKey(object, key);
    } catch {
      return undefined;
    }
  }

  private accessors(descriptor: PropertyDescriptor | undefined): void {
    if (descriptor?.get) this.realm.builtin.add(descriptor.get);
    if (descriptor?.set) this.realm.builtin.add(descriptor.set);
  }
}

/** A constructor a program put on globalThis is not Node's: only V8's own have native text. Node's own classes are found through their modules. */
function nativeText(f: object): boolean {
  return Function.prototype.toString.call(f).includes('[native code]');
}
