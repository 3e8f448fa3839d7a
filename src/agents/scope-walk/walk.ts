import type { WalkCost } from '../../model/evidence/collection-growth.js';
import { startsCapital, withoutPrefix } from '../text.js';
import { ClosureChains } from './closure-chains.js';
import type { Watched } from './containers.js';
import { arrayElements, mapElements, sampledIndices, setElements } from './elements.js';
import { FunctionChoice } from './function-choice.js';
import { type DetailedEdge, EDGES, type Edge, type SeenBy, WalkTree } from './graph.js';
import { type InspectorBridge, type Internals, isModuleScope, isScriptScope, type Scope } from './inspector-bridge.js';
import { describeKey, functionText, isArray, isObject, isView, own, ownKeys, prototypeOf } from './intrinsics.js';
import { keysOf } from './keys.js';
import { Makers } from './makers.js';
import { PrivateFields } from './private-fields.js';
import { Queue } from './queue.js';
import { isUntouchable, LIMITS, type Realm } from './realm.js';
import { Slices } from './slices.js';
import { Watchlist } from './watchlist.js';
import { WeakValues } from './weak-values.js';

/** The program's own modules, then what they stand on, then sockets and timers: it decides how readable a path is. */
export type Phase = 1 | 2 | 3;

interface Pending {
  readonly object: object;
  readonly node: number;
  readonly owner: object | undefined;
}

/** Objects handed to the inspector in one round. */
const BATCH = 8;
/** Timers are counted through their own lists. */
const TIMER_LINKS = new Set<PropertyKey>(['_idleNext', '_idlePrev']);

/** Breadth-first over objects, their properties and their functions' scopes, in slices; remembers containers only. */
export class Walk {
  readonly tree = new WalkTree();
  readonly chains = new ClosureChains(this.tree);
  readonly watchlist: Watchlist;
  readonly choice: FunctionChoice<Pending>;
  readonly unlisted: number[] = [];
  cut = false;

  private readonly seen = new Set<object>();
  private objects = new Queue<Pending>();
  private functions = new Queue<Pending>();
  private later: { readonly phase: Phase; readonly read: () => unknown; readonly name: string }[] = [];
  private readonly links = new Map<number, number>();
  private readonly makers: Makers;
  private readonly privateFields: PrivateFields;
  private readonly weakValues: WeakValues;
  private readonly slices: Slices;
  private phase: Phase = 1;
  private objectLimit: number;
  private visited = 0;
  private promises = 0;

  constructor(
    private readonly realm: Realm,
    private readonly bridge: InspectorBridge,
    private readonly before?: Walk,
    mostObjects: number = LIMITS.objects,
  ) {
    this.objectLimit = Math.min(LIMITS.objects, mostObjects);
    this.slices = new Slices(realm);
    const { tree, chains } = this;
    const seat = { parentOf: (node: number) => tree.parentOf(node), isChained: (node: number) => chains.has(node) };
    this.choice = new FunctionChoice(seat, before?.choice);
    this.makers = new Makers(realm);
    this.watchlist = new Watchlist(realm, tree, this.makers);
    this.privateFields = new PrivateFields(realm, ({ object, node }, name, value) => {
      this.makers.note(object, value);
      this.add(value, node, { kind: 'private', name }, object);
    });
    this.weakValues = new WeakValues(({ object, node }, held, value) => {
      if (this.seen.has(value) || ('edge' in held && this.isCompiledField(object, held.edge))) return;
      const at = 'edge' in held ? this.tree.add(node, held.edge) : held.node;
      this.add(value, at, { kind: 'map-value' }, held.map);
    });
  }

  /** Walks until nothing is left or a bound is met, then calls `done`. */
  run(addRoots: () => void, done: () => void): void {
    this.slices.run(
      addRoots,
      () => this.slice(),
      cut => {
        this.cut ||= cut;
        this.finish(done);
      },
    );
  }

  stop(): void {
    this.slices.stop();
  }

  cost(): WalkCost {
    return {
      ...this.slices.cost(),
      objects: this.visited,
      functions: this.choice.asked,
      containers: this.watchlist.containers.length,
      cut: this.cut,
    };
  }

  root(value: unknown, name: string, phase: Phase = 1): void {
    this.rootOf(() => value, name, phase);
  }

  /** A root that is looked up when its phase begins: what lives shortly would be over by then. */
  rootOf(read: () => unknown, name: string, phase: Phase): void {
    if (phase > this.phase) this.later.push({ phase, read, name });
    else this.add(read(), -1, { kind: 'root', name });
  }

  /** Watches a container that belongs to Node itself, without walking through it. */
  watchOnly(container: object, kind: Watched['kind'], name: string): void {
    if (this.seen.has(container)) return;
    this.seen.add(container);
    this.watchlist.add(container, kind, this.tree.add(-1, { kind: 'root', name }), undefined);
  }

  private finish(done: () => void): void {
    this.objects = new Queue();
    this.functions = new Queue();
    this.later = [];
    this.privateFields.forget();
    this.weakValues.forget();
    this.before?.watchlist.noteOwners(this.seen);
    this.seen.clear();
    this.choice.forget();
    this.links.clear();
    this.watchlist.forget();
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
      for (const { read, name } of now) this.add(read(), -1, { kind: 'root', name });
      return true;
    }
    const some = this.choice.takeDeferred();
    for (const one of some) this.functions.put(one);
    return some.length > 0;
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
    // Packages keep these under names of their own (`const root = globalThis`): everybody knows them by one.
    const known = value === process ? 'process' : value === globalThis ? 'globalThis' : undefined;
    const node = known === undefined ? this.tree.add(parent, edge) : this.tree.add(-1, { kind: 'root', name: known });
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
    this.weakValues.noteKey(object, node);
    this.visitProperties(object, node, owner);
    this.visitPrototype(object, node, owner);
  }

  private visitArray(array: readonly unknown[], node: number, owner: object | undefined): void {
    this.weakValues.noteKey(array, node);
    this.watchlist.add(array, 'Array', node, owner);
    arrayElements(array, (value, edge) => this.add(value, node, edge, array));
  }

  private visitMap(map: object, node: number, owner: object | undefined): void {
    this.watchlist.add(map, 'Map', node, owner);
    mapElements(map, (value, edge) => this.add(value, node, edge, map));
  }

  private visitSet(set: object, node: number, owner: object | undefined): void {
    this.watchlist.add(set, 'Set', node, owner);
    setElements(set, (value, edge) => this.add(value, node, edge, set));
  }

  private visitProperties(object: object, node: number, owner: object | undefined): void {
    const keys = keysOf(object, this.realm);
    if (typeof keys === 'number') {
      this.unlisted.push(keys);
      this.watchlist.add(object, 'huge-object', node, owner, undefined, keys);
      return;
    }
    const { types } = this.realm;
    const isNamespace = types.isModuleNamespaceObject(object);
    if (keys.length >= LIMITS.dictionaryKeys && !types.isMap(object) && !types.isSet(object) && !isNamespace) {
      this.watchlist.add(object, 'object', node, owner, undefined, keys.length);
      if (keys.length >= LIMITS.manyKeys && this.makers.isBag(object)) this.tree.markDictionary(node);
    } else if (keys.length > 1 && !isNamespace) this.watchlist.addList(object, keys, node, owner);
    const some = keys.length <= 400 ? keys : sampledIndices(keys.length).map(index => keys[index] as PropertyKey);
    for (const key of some) this.addProperty(object, key, node);
  }

  private addProperty(object: object, key: PropertyKey, node: number): void {
    if (isUntouchable(object, key) || TIMER_LINKS.has(key)) return;
    const descriptor = describeKey(object, key);
    if (!descriptor) return;
    if (descriptor.get) this.add(descriptor.get, node, { kind: 'getter', name: String(key) }, object);
    else if (typeof descriptor.value === 'string') this.watchlist.addText(object, descriptor.value, node, key as Edge);
    else if (isObject(descriptor.value)) {
      this.makers.note(object, descriptor.value);
      // The second object in a row behind the same property begins to look like a list without a size.
      if (this.linksTo(node, key as Edge) === 1) this.watchlist.addChain(object, node, key);
      if (this.realm.types.isWeakMap(descriptor.value) && !this.seen.has(descriptor.value))
        this.weakValues.noteMap({ map: descriptor.value, node: this.tree.add(node, key as Edge) }, false);
      this.add(descriptor.value, node, key as Edge, object);
    }
  }

  private visitPrototype(object: object, node: number, owner: object | undefined): void {
    const prototype = prototypeOf(object);
    if (!prototype || this.realm.skip.has(prototype)) return;
    this.add(prototype, node, EDGES.PROTOTYPE, object);
    const maker = this.makerOf(prototype);
    if (!maker) return;
    // The inspector shows #private fields; it is asked only about classes whose source has any.
    if (this.privateFields.isDeclaredBy(maker)) this.functions.put({ object, node, owner });
    else if (this.privateFields.isCompiledIn(maker)) this.privateFields.noteInstance(object, node);
  }

  /** `_Till_rows`, `_rows`: what a compiler made of a #private field goes by that field's name. */
  private isCompiledField(object: object, edge: DetailedEdge): boolean {
    const isNamedSo = edge.kind === 'variable' && withoutPrefix(edge.name, '_') !== edge.name;
    const maker = isNamedSo && this.makerOf(prototypeOf(object));
    return maker ? this.privateFields.isCompiledIn(maker) : false;
  }

  private makerOf(prototype: object | null): object | undefined {
    if (!prototype || this.realm.types.isProxy(prototype)) return undefined;
    const maker = own(prototype, 'constructor');
    return typeof maker === 'function' ? maker : undefined;
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
    this.choice.askAgain(one.object);
    this.functions.putFirst(one);
  }

  private isWorthAsking(one: Pending): boolean {
    const { object, node } = one;
    if (typeof object !== 'function' || this.realm.types.isProxy(object)) return true;
    if (this.choice.isAskedAgain(object)) return true;
    this.visitStatics(object, node);
    if (!this.choice.isExhausted) return this.choice.isWorthAsking(one);
    this.cut = true;
    return false;
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

  private enter(one: Pending, internals: Internals): void {
    const before = this.visited;
    const { location } = internals;
    if (!location || !this.realm.internalScripts.has(location.scriptId)) {
      this.enterScopes(one, internals);
      // A proxy is no owner: its fields are not to be read.
      const owner = this.realm.types.isProxy(one.object) ? undefined : one.object;
      for (const { kind, name, value } of internals.values) {
        if (kind === 'private' && owner && isObject(value)) this.makers.note(owner, value);
        this.add(value, one.node, { kind, name }, owner);
      }
    }
    this.choice.note(one, this.visited - before);
  }

  private enterScopes(one: Pending, { scopes, location }: Internals): void {
    const name =
      typeof one.object === 'function' && !this.realm.types.isProxy(one.object) ? own(one.object, 'name') : '';
    for (const [depth, scope] of scopes.entries()) {
      const seen: SeenBy = {
        location,
        function: typeof name === 'string' ? name : '',
        scope: isModuleScope(scopes, depth) ? 'module' : 'closure',
        home: isScriptScope(scope) ? '' : (location?.scriptId ?? ''),
      };
      this.enterScope(scope, one, seen);
    }
  }

  private isOwn({ location }: SeenBy): boolean {
    return location !== undefined && !this.realm.packageScripts.has(location.scriptId);
  }

  private enterScope({ variables }: Scope, { object, node }: Pending, seen: SeenBy): void {
    for (const key of ownKeys(variables)) {
      const descriptor = describeKey(variables, key);
      if (!descriptor || !('value' in descriptor)) continue;
      const edge = { kind: 'variable' as const, name: String(key), seen };
      if (typeof descriptor.value === 'string') this.watchlist.addVariable(object, descriptor.value, node, edge);
      else if (isObject(descriptor.value)) {
        if (this.realm.types.isWeakMap(descriptor.value) && !this.seen.has(descriptor.value)) {
          this.privateFields.noteWeakMap(descriptor.value, edge.name);
          this.weakValues.noteMap({ map: descriptor.value, edge }, this.isOwn(seen));
        }
        const at = this.add(descriptor.value, node, edge);
        if (at !== undefined && seen.scope === 'closure') this.chains.noteLink(at, node, edge, descriptor.value);
      }
    }
  }
}
