import type { ClosureChain, WalkCost } from '../../model/evidence/collection-growth.js';
import { isWordChar, startsCapital } from '../text.js';
import { limitsOf, ringIn, sizeField, sizeOf, type Watched } from './containers.js';
import { type DetailedEdge, EDGES, type Edge, type SeenBy, WalkTree } from './graph.js';
import type { InspectorBridge, Internals, Scope } from './inspector-bridge.js';
import {
  describeKey,
  functionText,
  isArray,
  isObject,
  isView,
  mapEntries,
  mapSize,
  nextOfMap,
  nextOfSet,
  own,
  ownKeys,
  plainKeys,
  prototypeOf,
  setSize,
  setValues,
  symbolsOf,
  weaklyHeld,
} from './intrinsics.js';
import { isUntouchable, LIMITS, type Realm } from './realm.js';

/** The program's own modules, then what they stand on, then sockets and timers: it decides how readable a path is. */
export type Phase = 1 | 2 | 3;

interface Pending {
  readonly object: object;
  readonly node: number;
  readonly owner: object | undefined;
}

/** A ring buffer, weakly held, and whose property it is. */
export interface Ring {
  readonly ref: WeakRef<object>;
  readonly owner: WeakRef<object>;
  readonly node: number;
}

/** Closures in a row: the node of the first one's variable, and what the second one's holds. */
interface Chain {
  readonly first: number;
  readonly second: WeakRef<object>;
  links: number;
}

/** A first probe of a dictionary's symbols takes a fifteenth of listing its keys. */
const LISTING_PER_PROBE = 15;
const KEYS_PER_PROBE_MS = 40_000;
/** Below this a probe says nothing about size. */
const SMALLEST_PROBE_MS = 0.25;
const CHAINS_OUT = 4;
/** From a closure up to the variable that leads to it. */
const STEPS_IN_CHAIN = 3;
/** Objects handed to the inspector in one round. */
const BATCH = 8;
/** Timers are counted through their own lists. */
const TIMER_LINKS = new Set<PropertyKey>(['_idleNext', '_idlePrev']);

/** Breadth-first over objects, their properties and their functions' scopes, in slices; remembers containers only. */
export class Walk {
  readonly tree = new WalkTree();
  readonly containers: Watched[] = [];
  /** Ring buffers, whose array says nothing of how many stand in it. */
  readonly rings: Ring[] = [];
  readonly byObject = new WeakMap<object, Watched>();
  /** How many objects a function's scopes gave: a second walk skips those that gave none. */
  readonly yielded = new WeakMap<object, number>();
  readonly unlisted: number[] = [];
  cut = false;

  private readonly seen = new Set<object>();
  private objects: Queue = new Queue();
  private functions: Queue = new Queue();
  private deferred: Pending[] = [];
  private later: { readonly phase: Phase; readonly value: unknown; readonly name: string }[] = [];
  private readonly sameText = new Map<string, number>();
  private readonly siblings = new Map<number, { dry: number }>();
  private readonly textVariables = new Set<string>();
  private readonly links = new Map<number, number>();
  private readonly chainOf = new Map<number, Chain>();
  private readonly askedAgain = new WeakSet<object>();
  private readonly makers = new WeakMap<object, object>();
  private readonly privateClasses = new WeakMap<object, boolean>();
  private readonly compiledClasses = new WeakMap<object, boolean>();
  private compiled: { readonly object: object; readonly node: number }[] = [];
  private weakMaps: { readonly map: object; readonly name: string }[] = [];
  private phase: Phase = 1;
  private objectLimit: number;
  private visited = 0;
  private asked = 0;
  private askedLate = 0;
  private promises = 0;
  private chains = 0;
  private texts = 0;
  private cpuMs = 0;
  private longestMs = 0;
  private wallMs = 0;
  private stopped = false;

  constructor(
    private readonly realm: Realm,
    private readonly bridge: InspectorBridge,
    private readonly before?: Walk,
    mostObjects: number = LIMITS.objects,
  ) {
    this.objectLimit = Math.min(LIMITS.objects, mostObjects);
  }

  /** Walks until nothing is left or a bound is met, then calls `done`. Every slice is followed by as long a pause. */
  run(addRoots: () => void, done: () => void): void {
    const { host } = this.realm;
    const startedAt = host.now();
    const turn = (work: () => boolean) => {
      const from = host.now();
      let finished = this.stopped || work();
      const spent = host.now() - from;
      this.cpuMs += spent;
      this.longestMs = Math.max(this.longestMs, spent);
      this.wallMs = host.now() - startedAt;
      if (!finished && (this.cpuMs > LIMITS.cpuMs || this.wallMs > LIMITS.wallMs)) {
        this.cut = true;
        finished = true;
      }
      if (finished) {
        this.finish(done);
        return;
      }
      const next = () => turn(() => this.slice());
      if (spent > 1) host.setTimeout(next, Math.min(20, Math.ceil(spent)));
      else host.setImmediate(next);
    };
    host.setImmediate(() =>
      turn(() => {
        addRoots();
        return false;
      }),
    );
  }

  stop(): void {
    this.stopped = true;
  }

  cost(): WalkCost {
    const round = (ms: number) => Math.round(ms * 10) / 10;
    return {
      cpuMs: round(this.cpuMs),
      longestSliceMs: round(this.longestMs),
      wallMs: Math.round(this.wallMs),
      objects: this.visited,
      functions: this.asked,
      containers: this.containers.length,
      cut: this.cut,
    };
  }

  root(value: unknown, name: string, phase: Phase = 1): void {
    if (phase > this.phase) this.later.push({ phase, value, name });
    else this.add(value, -1, { kind: 'root', name });
  }

  /** Watches a container that belongs to Node itself, without walking through it. */
  watchOnly(container: object, kind: Watched['kind'], name: string): void {
    if (this.seen.has(container)) return;
    this.seen.add(container);
    this.watch(container, kind, this.tree.add(-1, { kind: 'root', name }), undefined);
  }

  /** Every function of a script shows the same variable: once is enough. */
  private watchVariable(
    f: object,
    text: string,
    node: number,
    edge: Extract<DetailedEdge, { kind: 'variable' }>,
  ): void {
    const name = `${edge.seen.location?.scriptId} ${edge.name}`;
    if (text.length < LIMITS.longText || this.textVariables.has(name)) return;
    this.textVariables.add(name);
    this.watchText(f, text, node, edge);
  }

  private finish(done: () => void): void {
    this.objects = new Queue();
    this.functions = new Queue();
    this.deferred = [];
    this.later = [];
    this.compiled = [];
    this.weakMaps = [];
    this.seen.clear();
    this.sameText.clear();
    this.siblings.clear();
    this.links.clear();
    this.textVariables.clear();
    done();
  }

  private slice(): boolean {
    const until = this.realm.host.now() + LIMITS.sliceMs;
    for (let turns = 1; ; turns++) {
      const next = this.objects.take();
      if (next) this.visitSafely(next);
      else if (this.functions.size > 0) this.askFunctions(until - 0.5);
      else if (!this.refill()) return true;
      if (this.realm.host.now() > until) return false;
      // Objects and functions in turns, so that the walk stays breadth-first.
      if (this.functions.size > 64 && turns % 128 === 0) this.askFunctions(until - 0.5);
    }
  }

  /** Roots of the next phase; at the very end functions that were put aside. False when nothing is left. */
  private refill(): boolean {
    const phase = Math.min(...this.later.map(root => root.phase)) as Phase;
    if (this.later.length > 0) {
      this.phase = phase;
      if (phase === 3) this.objectLimit = Math.min(this.objectLimit, this.visited + LIMITS.lateObjects);
      const now = this.later.filter(root => root.phase === phase);
      this.later = this.later.filter(root => root.phase !== phase);
      for (const { value, name } of now) this.add(value, -1, { kind: 'root', name });
      return true;
    }
    if (this.deferred.length === 0 || this.askedLate >= LIMITS.lateFunctions) return false;
    const some = this.deferred.splice(0, 64);
    this.askedLate += some.length;
    for (const one of some) this.functions.put(one);
    return true;
  }

  /** The node of an object that is new to the walk. */
  private add(value: unknown, parent: number, edge: Edge, owner?: object): number | undefined {
    if (!isObject(value) || this.seen.has(value) || this.realm.skip.has(value)) return undefined;
    if (typeof value === 'function' && this.realm.builtin.has(value)) return undefined;
    if (this.visited >= this.objectLimit) {
      this.cut ||= this.phase < 3;
      return undefined;
    }
    const links = this.linksTo(parent, edge);
    if (links > LIMITS.chainLinks) return undefined;
    this.seen.add(value);
    this.visited++;
    const node = this.tree.add(parent, edge);
    if (links > 0) this.links.set(node, links);
    const queue = typeof value === 'function' ? this.functions : this.objects;
    queue.put({ object: value, node, owner });
    return node;
  }

  /** How often in a row the same property has been followed to get here. */
  private linksTo(parent: number, edge: Edge): number {
    if (parent < 0 || typeof edge === 'object' || this.tree.edgeOf(parent) !== edge) return 0;
    return (this.links.get(parent) ?? 0) + 1;
  }

  private watch(
    object: object,
    kind: Watched['kind'],
    node: number,
    owner?: object,
    key?: PropertyKey,
    size?: number,
  ): void {
    const first = size ?? sizeOf(object, kind, key, 0) ?? 0;
    const ref = new WeakRef(object);
    const watched: Watched = {
      ref,
      owner: owner && new WeakRef(owner),
      maker: this.makerOf(owner),
      kind,
      key,
      node,
      first,
      sizes: undefined,
      gone: false,
      slow: false,
    };
    this.containers.push(watched);
    if (kind !== 'string' && !this.byObject.has(object)) this.byObject.set(object, watched);
  }

  /** A string is no object: its owner is held and the property read again; of a variable's only the walks tell. */
  private watchText(owner: object, text: string, parent: number, edge: Edge): void {
    if (text.length < LIMITS.longText || this.texts++ >= LIMITS.texts) return;
    const key = typeof edge === 'object' ? undefined : edge;
    this.watch(owner, 'string', this.tree.add(parent, edge), owner, key, text.length);
  }

  /** The object with a class that an owner belongs to: itself, or the one that leads to it through plain objects. */
  private makerOf(owner: object | undefined): WeakRef<object> | undefined {
    const maker = owner && this.isPlain(owner) ? this.makers.get(owner) : owner;
    return maker && new WeakRef(maker);
  }

  /** A proxy is never asked for its prototype: that would run its handler. */
  private isPlain(object: object): boolean {
    if (this.realm.types.isProxy(object)) return false;
    const prototype = prototypeOf(object);
    return prototype === null || prototype === Object.prototype;
  }

  /** Without a class of its own, as literals and what emitters keep their events in (`Object.create(null)` above it). */
  private isBag(object: object): boolean {
    if (this.isPlain(object)) return true;
    const prototype = this.realm.types.isProxy(object) ? undefined : prototypeOf(object);
    return isObject(prototype) && !this.realm.types.isProxy(prototype) && prototypeOf(prototype) === null;
  }

  private noteMaker(owner: object, value: object): void {
    if (!this.isPlain(value) || this.makers.has(value)) return;
    const maker = this.isPlain(owner) ? this.makers.get(owner) : owner;
    if (maker) this.makers.set(value, maker);
  }

  private visitSafely(next: Pending): void {
    try {
      this.visit(next);
    } catch {
      // A revoked proxy, a module in its dead zone: left out.
    }
  }

  private visit({ object, node, owner }: Pending): void {
    const { types } = this.realm;
    if (types.isProxy(object)) this.functions.put({ object, node, owner });
    else if (isArray(object)) this.visitArray(object, node, owner);
    else this.visitOther(object, node, owner);
  }

  private visitOther(object: object, node: number, owner: object | undefined): void {
    const { types } = this.realm;
    if (isView(object) || types.isAnyArrayBuffer(object) || types.isExternal(object)) return;
    if (types.isWeakMap(object) || types.isWeakSet(object) || types.isBoxedPrimitive(object)) return;
    if (types.isMap(object)) this.visitMap(object, node, owner);
    else if (types.isSet(object)) this.visitSet(object, node, owner);
    else if (types.isPromise(object) && this.promises++ < LIMITS.promises) this.functions.put({ object, node, owner });
    else if (types.isGeneratorObject(object)) this.functions.put({ object, node, owner });
    if (object !== globalThis && this.realm.isContext(object)) return;
    this.visitProperties(object, node, owner);
    this.visitPrototype(object, node, owner);
  }

  private visitArray(array: readonly unknown[], node: number, owner: object | undefined): void {
    this.watch(array, 'Array', node, owner);
    const { length } = array;
    const whole = length <= LIMITS.wholeCollection;
    for (const index of whole ? range(length) : sampledIndices(length)) {
      this.add(own(array, String(index)), node, whole ? { kind: 'index', index } : EDGES.ELEMENT, array);
    }
  }

  private visitMap(map: object, node: number, owner: object | undefined): void {
    this.watch(map, 'Map', node, owner);
    const whole = mapSize(map) <= LIMITS.wholeCollection;
    const entries = mapEntries(map);
    for (let left = whole ? LIMITS.wholeCollection : LIMITS.sampledElements * 2; left > 0; left--) {
      const { done, value: entry } = nextOfMap(entries);
      if (done) break;
      const [key, value] = entry as [unknown, unknown];
      this.add(value, node, mapValueEdge(key, whole), map);
      this.add(key, node, EDGES.MAP_KEY, map);
    }
  }

  private visitSet(set: object, node: number, owner: object | undefined): void {
    this.watch(set, 'Set', node, owner);
    const values = setValues(set);
    const whole = setSize(set) <= LIMITS.wholeCollection;
    for (let left = whole ? LIMITS.wholeCollection : LIMITS.sampledElements * 2; left > 0; left--) {
      const { done, value } = nextOfSet(values);
      if (done) break;
      this.add(value, node, EDGES.SET_VALUE, set);
    }
  }

  private visitProperties(object: object, node: number, owner: object | undefined): void {
    const keys = this.keysOf(object);
    if (typeof keys === 'number') {
      this.unlisted.push(keys);
      this.watch(object, 'huge-object', node, owner, undefined, keys);
      return;
    }
    const { types } = this.realm;
    const isNamespace = types.isModuleNamespaceObject(object);
    if (keys.length >= LIMITS.dictionaryKeys && !types.isMap(object) && !types.isSet(object) && !isNamespace) {
      this.watch(object, 'object', node, owner, undefined, keys.length);
      if (keys.length >= LIMITS.manyKeys && this.isBag(object)) this.tree.markDictionary(node);
    } else if (keys.length > 1 && !isNamespace) this.watchList(object, keys, node, owner);
    const some = keys.length <= 400 ? keys : sampledIndices(keys.length).map(index => keys[index] as PropertyKey);
    for (const key of some) this.addProperty(object, key, node);
  }

  private watchList(object: object, keys: readonly PropertyKey[], node: number, owner: object | undefined): void {
    const field = sizeField(object, keys);
    if (field !== undefined) this.watch(object, 'list', node, owner, field);
    else if (owner && keys.length <= LIMITS.ringKeys && ringIn(object, keys, this.realm.types.isProxy))
      this.rings.push({ ref: new WeakRef(object), owner: new WeakRef(owner), node });
  }

  private addProperty(object: object, key: PropertyKey, node: number): void {
    if (isUntouchable(object, key) || TIMER_LINKS.has(key)) return;
    const descriptor = describeKey(object, key);
    if (!descriptor) return;
    if (descriptor.get) this.add(descriptor.get, node, { kind: 'getter', name: String(key) }, object);
    else if (typeof descriptor.value === 'string') this.watchText(object, descriptor.value, node, key as Edge);
    else if (isObject(descriptor.value)) {
      this.noteMaker(object, descriptor.value);
      // The second object in a row behind the same property begins to look like a list without a size.
      if (this.linksTo(node, key as Edge) === 1 && this.chains++ < LIMITS.chains)
        this.watch(object, 'chain', node, undefined, key);
      this.add(descriptor.value, node, key as Edge, object);
    }
  }

  /** Own keys, or an estimate of their number when listing them would stop the program for too long. */
  private keysOf(object: object): PropertyKey[] | number {
    const { now } = this.realm.host;
    let from = now();
    const symbols = symbolsOf(object);
    let probe = now() - from;
    if (probe > SMALLEST_PROBE_MS) {
      from = now();
      symbolsOf(object);
      // The first probe may have met a garbage collection.
      probe = Math.min(probe, now() - from);
      if (probe * LISTING_PER_PROBE > LIMITS.longestListingMs) return Math.round(probe * KEYS_PER_PROBE_MS);
    }
    const names = plainKeys(object);
    if (names.length > 500) return symbols.length > 0 ? [...names, ...symbols] : names;
    return ownKeys(object);
  }

  private visitPrototype(object: object, node: number, owner: object | undefined): void {
    const prototype = prototypeOf(object);
    if (!prototype || this.realm.skip.has(prototype)) return;
    this.add(prototype, node, EDGES.PROTOTYPE, object);
    if (this.realm.types.isProxy(prototype)) return;
    const maker = own(prototype, 'constructor');
    // The inspector shows #private fields; it is asked only about classes whose source has any.
    if (typeof maker !== 'function') return;
    if (this.hasPrivateFields(maker)) this.functions.put({ object, node, owner });
    else if (prototype !== object && this.hasCompiledFields(maker)) this.noteCompiled(object, node);
  }

  /** Compilers for older engines keep #private fields in a WeakMap each, a variable beside the class. */
  private hasCompiledFields(maker: object): boolean {
    const known = this.compiledClasses.get(maker);
    if (known !== undefined || this.realm.builtin.has(maker)) return known ?? false;
    const text = functionText(maker);
    const found = text.includes('.set(this, ') || text.includes('PrivateFieldInitSpec(this, ');
    this.compiledClasses.set(maker, found);
    return found;
  }

  private noteCompiled(object: object, node: number): void {
    if (this.compiled.length >= LIMITS.compiledObjects) return;
    const one = { object, node };
    this.compiled.push(one);
    for (const field of this.weakMaps) this.addCompiled(one, field);
  }

  private noteWeakMap(map: object, name: string): void {
    if (this.weakMaps.length >= LIMITS.weakMaps || this.seen.has(map)) return;
    const field = { map, name };
    this.weakMaps.push(field);
    for (const one of this.compiled) this.addCompiled(one, field);
  }

  private addCompiled(
    { object, node }: (typeof this.compiled)[number],
    { map, name }: (typeof this.weakMaps)[number],
  ): void {
    const value = weaklyHeld(map, object);
    if (!isObject(value)) return;
    this.noteMaker(object, value);
    this.add(value, node, { kind: 'private', name }, object);
  }

  private hasPrivateFields(maker: object): boolean {
    const known = this.privateClasses.get(maker);
    if (known !== undefined) return known;
    let found = false;
    let at: unknown = maker;
    for (let depth = 0; depth < 4 && typeof at === 'function' && !found; depth++) {
      if (this.realm.types.isProxy(at)) break;
      const text = functionText(at);
      found = text.startsWith('class') && namesPrivate(text);
      at = prototypeOf(at);
    }
    this.privateClasses.set(maker, found);
    return found;
  }

  /** One round trip of the inspector for a few functions (and proxies, promises, objects with #private fields). */
  private askFunctions(until: number): void {
    const batch: Pending[] = [];
    while (batch.length < BATCH) {
      const next = this.functions.take();
      if (!next) break;
      if (this.isWorthAsking(next)) batch.push(next);
      if (this.realm.host.now() > until) break;
    }
    if (batch.length === 0) return;
    const answers = this.bridge.read(
      batch.map(one => one.object),
      until,
    );
    for (const [i, one] of batch.entries()) {
      const internals = answers[i];
      if (internals) this.enter(one, internals);
      else this.putBack(one);
    }
  }

  private putBack(one: Pending): void {
    this.askedAgain.add(one.object);
    this.functions.putFirst(one);
  }

  private isWorthAsking(one: Pending): boolean {
    const { object, node } = one;
    if (typeof object !== 'function' || this.realm.types.isProxy(object)) return true;
    if (this.askedAgain.has(object)) return true;
    this.visitStatics(object, node);
    if (this.asked >= LIMITS.functions) {
      this.cut = true;
      return false;
    }
    const siblings = this.siblings.get(this.tree.parentOf(node));
    if (siblings && siblings.dry >= 3 && this.askedLate === 0) {
      this.deferred.push(one);
      return false;
    }
    if (this.before?.yielded.get(object) === 0 || !(this.hasNewText(object) || this.isInChain(node))) return false;
    this.asked++;
    return true;
  }

  /** Own properties of a function. Looking at a sloppy function's `prototype` would create it for good. */
  private visitStatics(f: object, node: number): void {
    for (const key of ownKeys(f)) {
      if (key === 'length' || key === 'name' || isUntouchable(f, key)) continue;
      if (key === 'prototype' && !this.isConstructor(f)) continue;
      const descriptor = describeKey(f, key);
      if (descriptor?.get) this.add(descriptor.get, node, { kind: 'getter', name: String(key) }, f);
      else if (isObject(descriptor?.value)) {
        this.add(descriptor.value, node, key === 'prototype' ? EDGES.PROTOTYPE : (key as Edge), f);
      }
    }
    const parent = prototypeOf(f);
    if (typeof parent === 'function') this.add(parent, node, EDGES.PROTOTYPE, f);
  }

  private isConstructor(f: object): boolean {
    const name = own(f, 'name');
    return functionText(f).startsWith('class') || (typeof name === 'string' && startsCapital(name));
  }

  private hasNewText(f: object): boolean {
    const text = functionText(f);
    if (text.length < 300 && text.endsWith('{ [native code] }')) {
      const name = own(f, 'name');
      return typeof name === 'string' && name.startsWith('bound ');
    }
    const key = text.length > 200 ? text.slice(0, 200) + text.length : text;
    const count = this.sameText.get(key) ?? 0;
    this.sameText.set(key, count + 1);
    return count < LIMITS.sameText;
  }

  private enter(one: Pending, internals: Internals): void {
    const before = this.visited;
    const { location } = internals;
    if (!location || !this.realm.internalScripts.has(location.scriptId)) {
      this.enterScopes(one, internals);
      // A proxy is no owner: its fields are not to be read.
      const owner = this.realm.types.isProxy(one.object) ? undefined : one.object;
      for (const { kind, name, value } of internals.values) {
        if (kind === 'private' && owner && isObject(value)) this.noteMaker(owner, value);
        this.add(value, one.node, { kind, name }, owner);
      }
    }
    const gained = this.visited - before;
    const parent = this.tree.parentOf(one.node);
    const siblings = this.siblings.get(parent) ?? { dry: 0 };
    siblings.dry = gained > 0 ? 0 : siblings.dry + 1;
    this.siblings.set(parent, siblings);
    if (typeof one.object === 'function') this.yielded.set(one.object, gained);
  }

  private enterScopes(one: Pending, { scopes, location }: Internals): void {
    const name =
      typeof one.object === 'function' && !this.realm.types.isProxy(one.object) ? own(one.object, 'name') : '';
    for (const [depth, scope] of scopes.entries()) {
      const seen: SeenBy = {
        location,
        function: typeof name === 'string' ? name : '',
        scope: isModuleScope(scopes, depth) ? 'module' : 'closure',
      };
      this.enterScope(scope, one, seen);
    }
  }

  /** A closure whose variable leads to a closure of the same function, whose variable leads to the next, and so on. */
  private noteLink(at: number, from: number, edge: Extract<DetailedEdge, { kind: 'variable' }>, value: object): void {
    const above = this.tree.sameVariableAbove(from, edge);
    if (above < 0) return;
    const chain = this.chainOf.get(above) ?? { first: above, second: new WeakRef(value), links: 1 };
    chain.links++;
    this.chainOf.set(above, chain).set(at, chain);
  }

  /** A closure of a chain is followed further than other functions of the same text, to see that it is one. */
  private isInChain(node: number): boolean {
    for (let at = node, steps = 0; at >= 0 && steps < STEPS_IN_CHAIN; at = this.tree.parentOf(at), steps++) {
      const chain = this.chainOf.get(at);
      if (chain) return chain.links < LIMITS.chainLinks;
    }
    return false;
  }

  /** Chains of closures that have grown since an earlier walk, the longest first: an old one stands where it stood. */
  closureChains(before: Walk): ClosureChain[] {
    const old = new Set([...before.ownChains()].map(({ second }) => second.deref()));
    return [...this.ownChains()]
      .filter(({ second, links }) => links >= LIMITS.closureChain && !old.has(second.deref()))
      .sort((a, b) => b.links - a.links)
      .slice(0, CHAINS_OUT)
      .map(({ first, links }) => ({ path: this.tree.path(first), links }));
  }

  private ownChains(): Set<Chain> {
    return new Set(this.chainOf.values());
  }

  private enterScope({ variables }: Scope, { object, node }: Pending, seen: SeenBy): void {
    for (const key of ownKeys(variables)) {
      const descriptor = describeKey(variables, key);
      if (!descriptor || !('value' in descriptor)) continue;
      const edge = { kind: 'variable' as const, name: String(key), seen };
      if (typeof descriptor.value === 'string') this.watchVariable(object, descriptor.value, node, edge);
      else if (isObject(descriptor.value)) {
        if (this.realm.types.isWeakMap(descriptor.value)) this.noteWeakMap(descriptor.value, edge.name);
        const at = this.add(descriptor.value, node, edge);
        if (at !== undefined && seen.scope === 'closure') this.noteLink(at, node, edge, descriptor.value);
      }
    }
  }
}

/** Whether a class' source has a `#name`. */
function namesPrivate(text: string): boolean {
  for (let at = text.indexOf('#'); at >= 0; at = text.indexOf('#', at + 1))
    if (isWordChar(text.charAt(at + 1))) return true;
  return false;
}

/** A script's own top level: V8's Module or Script scope, for CommonJS the closure of the module wrapper. */
export function isModuleScope(scopes: readonly Scope[], depth: number): boolean {
  const text = scopes[depth]?.description ?? '';
  if (text.startsWith('Module') || text.startsWith('Script')) return true;
  const outermost = scopes.findLastIndex(scope => !scope.description.startsWith('Script'));
  return depth === outermost && text.startsWith('Closure');
}

export function ownerLimits(watched: Watched): ReturnType<typeof limitsOf> {
  const self = watched.kind === 'list' || watched.kind === 'chain' ? watched.ref.deref() : undefined;
  return limitsOf(watched.owner?.deref() ?? self);
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Indices of a few elements: both ends and some between. */
function sampledIndices(length: number): number[] {
  const k = LIMITS.sampledElements;
  const chosen = range(k).flatMap(i => [i, length - 1 - i, Math.floor((length * (i + 0.5)) / k)]);
  return [...new Set(chosen)].filter(index => index >= 0 && index < length);
}

function mapValueEdge(key: unknown, whole: boolean): DetailedEdge {
  if (!whole) return { kind: 'map-value' };
  const text = typeof key === 'string' ? key.slice(0, 40) : typeof key === 'number' ? String(key) : typeof key;
  return { kind: 'map-value', key: text };
}

/** A queue that forgets what was taken. */
class Queue {
  private items: (Pending | undefined)[] = [];
  private first = 0;

  get size(): number {
    return this.items.length - this.first;
  }

  put(item: Pending): void {
    this.items.push(item);
  }

  putFirst(item: Pending): void {
    if (this.first > 0) this.items[--this.first] = item;
    else this.items.unshift(item);
  }

  take(): Pending | undefined {
    if (this.first >= this.items.length) return undefined;
    const item = this.items[this.first];
    this.items[this.first++] = undefined;
    if (this.first > 8192) {
      this.items = this.items.slice(this.first);
      this.first = 0;
    }
    return item;
  }
}
