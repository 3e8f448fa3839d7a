import type * as workerThreads from 'node:worker_threads';
import { before } from '../text.js';
import { type InspectorBridge, variablesOf } from './inspector-bridge.js';
import {
  isArray,
  isObject,
  mapEntries,
  mapSize,
  nextOfMap,
  own,
  ownKeys,
  plainKeys,
  prototypeOf,
} from './intrinsics.js';
import { classOf, type Realm } from './realm.js';
import type { Walk } from './walk.js';

export interface ModuleCounts {
  commonjs: number;
  esm: number;
  packages: number;
}

interface ModuleLibrary {
  readonly _cache: object;
  readonly _load?: unknown;
  readonly register?: unknown;
}
interface ProcessInternals {
  readonly moduleLoadList: readonly string[];
  _getActiveHandles(): object[];
}

/** ES modules beyond this many are only counted, and so are re-imports (`?v=2`) beyond the first few hundred. */
const MAX_ES_MODULES = 3000;
const MAX_REIMPORTS = 400;
/** Of many handles of one class the first and the last few are visited. */
const MANY_HANDLES = 20;
export const ES_MODULE_CACHE = "Node's cache of ES modules";
const WAITING_SIGNALS = "Node's list of waiting AbortSignals";
export const REQUIRE_CACHE = 'require.cache';

const MOST_WATCHED_FILES = 40;
const MOST_FILES = 80;

/** Classes between `performance` and the one with its methods: two at most so far. */
const MOST_PARENTS = 4;

/** Adds the places a program's data hangs from, in the order that keeps paths readable. */
export class Roots {
  /** Paths and urls of the program's own modules, those that V8 has forgotten the scripts of too. */
  readonly files: string[] = [];
  private esLoader: object | undefined;

  constructor(
    private readonly realm: Realm,
    private readonly bridge: InspectorBridge,
  ) {}

  addTo(walk: Walk): ModuleCounts {
    const library = this.realm.host.require('node:module') as ModuleLibrary;
    const files = plainKeys(library._cache);
    const inPackages = files.filter(file => file.includes('/node_modules/'));
    const users = files.filter(file => !file.includes('/node_modules/'));
    this.files.length = 0;
    for (const file of users) {
      this.remember(file);
      walk.root(exportsOf(library._cache, file), `module ${file}`);
    }
    const esm = this.addEsModules(walk, library);
    this.addServers(walk);
    this.addParentPort(walk);
    for (const file of inPackages) walk.root(exportsOf(library._cache, file), `module ${file}`, 2);
    walk.root(library._cache, REQUIRE_CACHE, 2);
    walk.root(process, 'process', 2);
    walk.root(globalThis, 'globalThis', 2);
    this.addAgents(walk);
    this.addHandles(walk);
    this.addPerformanceEntries(walk);
    this.addWaitingSignals(walk);
    this.addFileWatchers(walk);
    return { commonjs: users.length, esm, packages: inPackages.length };
  }

  private remember(file: string): void {
    const { files } = this;
    if (files.length < MOST_FILES) files[files.length] = file;
  }

  private get internals(): ProcessInternals {
    // Undocumented, and in every version from 18 to 26.
    return process as unknown as ProcessInternals;
  }

  private addServers(walk: Walk): void {
    for (const handle of this.internals._getActiveHandles()) {
      if (classOf(this.realm, handle) === 'Server') walk.root(handle, 'server');
    }
  }

  /** A worker thread's work hangs from its port; the main thread has none. */
  private addParentPort(walk: Walk): void {
    if (!this.internals.moduleLoadList.includes('NativeModule worker_threads')) return;
    const { parentPort } = this.realm.host.require('node:worker_threads') as typeof workerThreads;
    if (parentPort) walk.root(parentPort, 'parentPort');
  }

  /** What `performance.mark` and `measure` make stays until it is cleared, in arrays that only Node's own functions see. */
  private addPerformanceEntries(walk: Walk): void {
    const { performance } = this.realm.host.require('node:perf_hooks') as { performance: object };
    // Node 18 makes it from a class between the object and the one that has the method.
    let home: object | null = performance;
    for (let depth = 0; home && own(home, 'mark') === undefined && depth < MOST_PARENTS; depth++)
      home = prototypeOf(home);
    const mark = home && own(home, 'mark');
    let seen = typeof mark === 'function' ? variablesOf(this.bridge, mark) : {};
    for (const name of ['bufferUserTiming', 'filterBufferMapByNameAndType']) {
      const next = seen.markEntryBuffer === undefined ? seen[name] : undefined;
      if (typeof next === 'function') seen = variablesOf(this.bridge, next);
    }
    for (const [name, entries] of [
      ['performance marks', seen.markEntryBuffer],
      ['performance measures', seen.measureEntryBuffer],
    ] as const) {
      if (isArray(entries)) walk.watchOnly(entries, 'Array', name);
    }
  }

  /** AbortSignals of `any()` and `timeout()` that somebody listens to: Node keeps them until they abort, in a Set of its own. */
  private addWaitingSignals(walk: Walk): void {
    // The global is made when it is first asked for: a program that never did has no signals.
    const Signal = own(globalThis, 'AbortSignal');
    const maker = isFunction(Signal) ? (own(Signal, 'any') ?? own(Signal, 'timeout')) : undefined;
    if (!isFunction(maker)) return;
    const { gcPersistentSignals } = variablesOf(this.bridge, maker);
    if (this.realm.types.isSet(gcPersistentSignals)) walk.watchOnly(gcPersistentSignals, 'Set', WAITING_SIGNALS);
  }

  /** Node has one watcher for each file of `fs.watchFile`, and a listener for each call that was not taken back. */
  private addFileWatchers(walk: Walk): void {
    const { watchFile } = this.realm.host.require('node:fs') as { watchFile: object };
    const { statWatchers } = variablesOf(this.bridge, watchFile);
    if (!this.realm.types.isMap(statWatchers)) return;
    const watchers = mapEntries(statWatchers);
    for (let left = MOST_WATCHED_FILES; left > 0; left--) {
      const { done, value } = nextOfMap(watchers);
      if (done) break;
      const [file, watcher] = value as [unknown, unknown];
      walk.root(watcher, `fs.watchFile('${String(file)}')`, 2);
    }
  }

  private addAgents(walk: Walk): void {
    for (const name of ['http', 'https']) {
      if (!this.internals.moduleLoadList.includes(`NativeModule ${name}`)) continue;
      walk.root(own(this.realm.host.require(`node:${name}`), 'globalAgent'), `${name}.globalAgent`, 3);
    }
  }

  private addHandles(walk: Walk): void {
    const byClass = new Map<string, object[]>();
    for (const handle of this.internals._getActiveHandles()) {
      const name = classOf(this.realm, handle);
      byClass.set(name, [...(byClass.get(name) ?? []), handle]);
    }
    for (const [name, handles] of byClass) {
      const some = handles.length <= MANY_HANDLES ? handles : [...handles.slice(0, 5), ...handles.slice(-5)];
      for (const handle of some) walk.root(handle, `active ${name}`, 3);
    }
  }

  /** Namespaces of every ES module loaded. The cache's own size shows modules imported again and again. */
  private addEsModules(walk: Walk, library: ModuleLibrary): number {
    try {
      this.esLoader ??= this.findEsLoader(library);
      const cache = own(this.esLoader, 'loadCache') ?? own(this.esLoader, 'moduleMap');
      if (!this.realm.types.isMap(cache)) return 0;
      walk.watchOnly(cache, 'Map', ES_MODULE_CACHE);
      return this.addNamespaces(walk, cache);
    } catch {
      return 0;
    }
  }

  private addNamespaces(walk: Walk, cache: object): number {
    let found = 0;
    const entries = mapEntries(cache);
    for (let i = 0; i < Math.min(mapSize(cache), MAX_ES_MODULES); i++) {
      const { done, value } = nextOfMap(entries);
      if (done) break;
      const [url, byType] = value as [unknown, unknown];
      if (typeof url !== 'string' || url.startsWith('node:') || (i > MAX_REIMPORTS && before(url, '?#') !== url))
        continue;
      const phase = url.includes('/node_modules/') ? 2 : 1;
      if (phase === 1) this.remember(url);
      for (const namespace of namespacesOf(byType)) {
        walk.root(namespace, `module ${url.replace('file://', '')}`, phase);
        found++;
      }
    }
    return found;
  }

  /** The scope of Module.register (Module._load on 18) holds the loader, directly or behind a getter function. */
  private findEsLoader(library: ModuleLibrary): object | undefined {
    for (const f of [library.register, library._load]) {
      if (typeof f !== 'function') continue;
      const seen = variablesOf(this.bridge, f);
      const loader =
        seen.cascadedLoader ?? this.loaderBehind(seen.getOrInitializeCascadedLoader ?? seen.getCascadedLoader);
      const direct = loader ?? own(seen.asyncESM, 'esmLoader');
      if (isObject(direct)) return direct;
    }
    return undefined;
  }

  private loaderBehind(getLoader: unknown): unknown {
    if (typeof getLoader !== 'function') return undefined;
    const seen = variablesOf(this.bridge, getLoader);
    return seen.cascadedLoader ?? own(seen.asyncESM, 'esmLoader') ?? this.loaderOf18(seen);
  }

  private loaderOf18(seen: Record<string, unknown>): unknown {
    const esLoader = seen.esmLoader ?? seen.value;
    if (isObject(esLoader)) return own(esLoader, 'esmLoader') ?? esLoader;
    // Node 18 asks its internal require for the loader at each call.
    const load = seen.require as ((id: string) => { esmLoader?: unknown }) | undefined;
    return typeof load === 'function' ? load('internal/process/esm_loader').esmLoader : undefined;
  }
}

function exportsOf(cache: object, file: string): unknown {
  return own(own(cache, file), 'exports');
}

function namespacesOf(byType: unknown): unknown[] {
  if (!isObject(byType)) return [];
  return ownKeys(byType).flatMap(type => {
    const wrap = own(own(byType, type), 'module') as { getNamespace?(): unknown } | undefined;
    try {
      return isObject(wrap) ? [wrap.getNamespace?.()] : [];
    } catch {
      // Not evaluated yet: its variables can't be read.
      return [];
    }
  });
}

const isFunction = (value: unknown): value is object => typeof value === 'function';
