import type { EntrySample } from '../../model/evidence/collection-growth.js';
import type { ScriptPosition } from '../../model/location.js';
import { type InspectorBridge, type Internals, isModuleScope, type RawLocation } from './inspector-bridge.js';
import {
  bufferLength,
  bufferOf,
  describeKey,
  isArray,
  isObject,
  isView,
  mapEntries,
  mapSize,
  nextOfMap,
  nextOfSet,
  own,
  ownKeys,
  setSize,
  setValues,
  sharedLength,
  viewBuffer,
  viewLength,
} from './intrinsics.js';
import { classOf, codeOfClass, isUntouchable, type Realm } from './realm.js';

/** Nodes looked at for one entry, and how deep. */
const MAX_NODES = 400;
const MAX_DEPTH = 5;
const ROUNDS_OF_CLOSURES = 2;
const FUNCTIONS_A_ROUND = 5;
/** A function with its context, a timer, a module: no entry of that sort is cheaper, whatever could be counted. */
/** An entry's first keys are searched for functions. */
const HELD_KEYS = 16;
const FUNCTION_FLOOR = 512;
const MODULE_FLOOR = 8192;
const CONTEXT_BYTES = 100_000;
/** A stack is a string of about this size; its getter may run the program's code, so it is never read. */
const STACK_BYTES = 200;
/** Properties that lead to neighbours or to the whole application, not into an entry. */
const LINKS = new Set<PropertyKey>([
  'next',
  'prev',
  'previous',
  '_next',
  '_prev',
  '_idleNext',
  '_idlePrev',
  'list',
  'parent',
  'server',
  'app',
]);

interface Bytes {
  heap: number;
  external: number;
}

/** Rough bytes of what an entry alone holds. Structure that other entries have too counts once, for the first of them. */
export class Sizer {
  constructor(
    private readonly realm: Realm,
    private readonly bridge: InspectorBridge,
  ) {}

  /** The newest entry's bytes that the others don't share. `entries` are [key, value], the newest last. */
  sample(all: readonly (readonly [unknown, unknown])[]): EntrySample {
    const entries = this.settledLast(all);
    const newest = entries.at(-1);
    if (!newest) return { type: 'other', text: '', bytes: 0, externalBytes: 0 };
    const seen = new Set<object>();
    for (const [, value] of entries.slice(0, -1)) this.measure(value, seen);
    const [key, value] = newest;
    const bytes = this.measure(value, seen);
    if (key !== undefined) bytes.heap += this.shallowKey(key, seen);
    const type = this.typeOfEntries(entries);
    const total = Math.max(bytes.heap, floorOf(type)) + bytes.external;
    return {
      type,
      text: this.describe(value),
      bytes: Math.round(total),
      externalBytes: Math.round(bytes.external),
      ...(typeof key === 'string' && { key: key.slice(0, 200) }),
      ...this.codeOf(entries),
    };
  }

  /** Where the class of an object was written, or the function itself that has properties; undefined for V8's and Node's own. */
  classCode(object: object): ScriptPosition | undefined {
    const code = typeof object === 'function' ? object : codeOfClass(this.realm, object);
    if (!code || this.realm.builtin.has(code)) return undefined;
    const location = this.bridge.read([code])[0]?.location;
    return location && positionOf(location);
  }

  privateNumbers(object: object): Internals['numbers'] {
    return this.bridge.read([object])[0]?.numbers ?? [];
  }

  private shallowKey(key: unknown, seen: Set<object>): number {
    const count = new Count(this.realm, seen);
    return count.value(key, 0) + count.external;
  }

  private measure(value: unknown, seen: Set<object>): Bytes {
    const count = new Count(this.realm, seen);
    let heap = count.value(value, 0);
    for (let round = 0; round < ROUNDS_OF_CLOSURES && count.functions.length > 0; round++) {
      const some = count.functions.splice(0, FUNCTIONS_A_ROUND);
      count.functions.length = 0;
      for (const internals of this.bridge.read(some)) heap += closureBytes(internals, count);
    }
    return { heap, external: count.external };
  }

  /** A memory of results holds promises too, and its newest may still be pending: one that is settled tells. */
  private settledLast(entries: readonly (readonly [unknown, unknown])[]): readonly (readonly [unknown, unknown])[] {
    if (!this.realm.types.isPromise(entries.at(-1)?.[1])) return entries;
    const at = entries.findLastIndex(([, value]) => this.isSettled(value));
    return at < 0 ? entries : [...entries.filter((_, i) => i !== at), entries[at] as readonly [unknown, unknown]]; // found there
  }

  private isSettled(value: unknown): boolean {
    if (!this.realm.types.isPromise(value)) return false;
    return this.bridge.read([value]).some(one => one.promiseState !== 'pending');
  }

  private typeOfEntries(entries: readonly (readonly [unknown, unknown])[]): EntrySample['type'] {
    const newest = entries.at(-1)?.[1];
    const type = this.typeOf(newest);
    return type === 'promise' && this.isSettled(newest) ? 'object' : type;
  }

  private typeOf(value: unknown): EntrySample['type'] {
    const { types } = this.realm;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'function')
      return value === undefined ? 'other' : (typeof value as 'string');
    if (!isObject(value) || types.isProxy(value)) return 'other';
    if (types.isPromise(value)) return 'promise';
    if (isView(value) || types.isAnyArrayBuffer(value)) return 'buffer';
    if (types.isModuleNamespaceObject(value)) return 'module';
    if (types.isNativeError(value)) return 'error';
    if (this.realm.isContext(value)) return 'context';
    return this.typeOfObject(value);
  }

  private typeOfObject(value: object): EntrySample['type'] {
    const name = classOf(this.realm, value);
    if (name === 'Timeout' || name === 'Immediate') return 'timer';
    if (name === 'Module' || name === 'ModuleWrap' || name === 'SourceTextModule') return 'module';
    if (typeof own(value, 'resolve') === 'function' && typeof own(value, 'reject') === 'function') return 'deferred';
    return 'object';
  }

  /** Where the code of the sampled functions stands: what was registered, and so who registered it. */
  private codeOf(
    entries: readonly (readonly [unknown, unknown])[],
  ): Pick<EntrySample, 'code' | 'codeName' | 'ownScripts'> {
    const functions = entries.flatMap(([, value]) => this.firstFunction(value) ?? []);
    if (functions.length === 0) return {};
    const found = this.resolveBound(functions);
    const newest = found.at(-1)?.location;
    const scripts = new Set(found.flatMap(one => one.location?.scriptId ?? []));
    const name = own(functions.at(-1), 'name');
    const within = newest && this.realm.packageScripts.has(newest.scriptId) ? this.within(found.at(-1)) : undefined;
    return {
      ...(newest && {
        code: positionOf(newest),
      }),
      ...(typeof name === 'string' && name !== '' && { codeName: name }),
      ...(within && { within: positionOf(within) }),
      ...(scripts.size > 2 && scripts.size === functions.length && { ownScripts: true }),
    };
  }

  /** A package wraps what it was given: the application's function that its closure holds, within two rounds. */
  private within(wrapper: Internals | undefined): RawLocation | undefined {
    let round = wrapper ? [wrapper] : [];
    const seen = new Set<object>();
    for (let depth = 0; depth < ROUNDS_OF_CLOSURES && round.length > 0; depth++) {
      const held = round.flatMap(closedOver).filter(f => !seen.has(f) && !this.realm.builtin.has(f));
      for (const f of held) seen.add(f);
      round = this.bridge.read(held.slice(0, FUNCTIONS_A_ROUND));
      const own = round.find(({ location }) => location && this.isApplication(location));
      if (own) return own.location;
    }
    return undefined;
  }

  private isApplication({ scriptId }: RawLocation): boolean {
    return !this.realm.packageScripts.has(scriptId) && !this.realm.internalScripts.has(scriptId);
  }

  /** A bound function stands nowhere itself: its target does. */
  private resolveBound(functions: readonly object[]): Internals[] {
    return this.bridge.read(functions).map(one => {
      const target = one.values.find(value => value.name === '[[TargetFunction]]')?.value;
      return isObject(target) ? (this.bridge.read([target])[0] ?? one) : one;
    });
  }

  /** The entry itself, or a function it holds: a listener's wrapper, a timer, an interceptor's pair. */
  private firstFunction(value: unknown, depth = 0): object | undefined {
    if (!isObject(value) || this.realm.types.isProxy(value)) return undefined;
    if (typeof value === 'function') return this.unwrapped(value);
    if (depth > 1 || isView(value) || this.realm.types.isBoxedPrimitive(value)) return undefined;
    for (const key of ownKeys(value).slice(0, HELD_KEYS)) {
      if (isUntouchable(value, key) || LINKS.has(key)) continue;
      const held = own(value, key);
      const found = typeof held === 'function' || isArray(value) ? this.firstFunction(held, depth + 1) : undefined;
      if (found && !this.realm.builtin.has(found)) return found;
    }
    return undefined;
  }

  /** `once` wraps what was registered. */
  private unwrapped(f: object): object {
    const listener = own(f, 'listener');
    return typeof listener === 'function' ? listener : f;
  }

  private describe(value: unknown): string {
    if (!isObject(value)) return typeof value;
    if (this.realm.types.isProxy(value)) return 'Proxy';
    if (typeof value === 'function') return `function ${String(own(value, 'name') ?? '') || '(anonymous)'}`;
    const name = classOf(this.realm, value) || 'Object';
    if (isArray(value)) return `Array(${value.length})`;
    if (this.realm.types.isTypedArray(value)) {
      return `${name} ${viewLength(value)} B view of ${bufferLengthOf(this.realm, bufferOf(value))} B`;
    }
    if (this.realm.types.isBoxedPrimitive(value)) return name;
    const keys = ownKeys(value);
    const shown = keys.slice(0, 6).map(key => String(key).slice(0, 20));
    return `${name} {${shown.join(',')}${keys.length > 6 ? ',…' : ''}}`;
  }
}

const positionOf = ({ scriptId, lineNumber, columnNumber }: RawLocation): ScriptPosition => ({
  scriptId,
  url: '',
  line: lineNumber,
  column: columnNumber,
});

/** Functions among a closure's variables, its module's left out. */
function closedOver({ scopes }: Internals): object[] {
  return scopes.flatMap(({ variables }, depth) => {
    if (isModuleScope(scopes, depth)) return [];
    return ownKeys(variables).flatMap(key => {
      const value = own(variables, key);
      return typeof value === 'function' ? [value] : [];
    });
  });
}

function floorOf(type: EntrySample['type']): number {
  if (type === 'function' || type === 'timer') return FUNCTION_FLOOR;
  if (type === 'module') return MODULE_FLOOR;
  return type === 'context' ? CONTEXT_BYTES : 0;
}

/** What a closure holds beyond its module's variables, and what a promise or a bound function holds. */
function closureBytes(internals: Internals, count: Count): number {
  let bytes = 0;
  for (const { value } of internals.values) bytes += count.value(value, 1);
  for (const [depth, { variables }] of internals.scopes.entries()) {
    if (internals.location && isModuleScope(internals.scopes, depth)) continue;
    for (const key of ownKeys(variables)) bytes += 8 + count.value(own(variables, key), 1);
  }
  return bytes;
}

function bufferLengthOf(realm: Realm, buffer: object): number {
  return realm.types.isSharedArrayBuffer(buffer) ? sharedLength(buffer) : bufferLength(buffer);
}

/** What Intl's objects hold outside V8's heap: measured resident bytes of one more, on Node 20. */
const INTL_BYTES: { readonly [name: string]: number | undefined } = {
  NumberFormat: 3_000,
  DateTimeFormat: 27_000,
  PluralRules: 1_800,
  Collator: 1_700,
};

/** Adds up one entry; functions and promises are put aside, they need the inspector. */
class Count {
  external = 0;
  readonly functions: object[] = [];
  private left = MAX_NODES;

  constructor(
    private readonly realm: Realm,
    private readonly seen: Set<object>,
  ) {}

  value(value: unknown, depth: number): number {
    if (typeof value === 'string') return 16 + value.length;
    if (typeof value === 'bigint') return 24;
    if (!isObject(value)) return 8;
    if (this.seen.has(value) || this.left-- <= 0 || depth > MAX_DEPTH) return 8;
    if (this.realm.skip.has(value) || this.realm.builtin.has(value)) return 8;
    this.seen.add(value);
    return this.object(value, depth);
  }

  private object(value: object, depth: number): number {
    const { types } = this.realm;
    if (types.isProxy(value)) return 64;
    if (typeof value === 'function' || types.isPromise(value)) {
      if (this.functions.length < 12) this.functions.push(value);
      return 64;
    }
    if (isView(value)) return this.view(value);
    if (types.isAnyArrayBuffer(value)) return this.buffer(value);
    if (isArray(value)) return this.array(value, depth);
    if (types.isMap(value)) return this.map(value, depth);
    if (types.isSet(value)) return this.set(value, depth);
    if (this.realm.isContext(value)) return CONTEXT_BYTES;
    return (INTL_BYTES[classOf(this.realm, value)] ?? 0) + this.properties(value, depth);
  }

  private view(value: object): number {
    const buffer = this.realm.types.isTypedArray(value) ? bufferOf(value) : viewBuffer(value);
    return 96 + (this.seen.has(buffer) ? 0 : this.buffer(buffer));
  }

  private buffer(buffer: object): number {
    this.seen.add(buffer);
    this.external += bufferLengthOf(this.realm, buffer);
    return 96;
  }

  private array(array: readonly unknown[], depth: number): number {
    const some = Math.min(array.length, 20);
    let bytes = 0;
    for (let i = 0; i < some; i++) bytes += this.value(own(array, String(i)), depth + 1);
    return 32 + 8 * array.length + scaled(bytes, some, array.length);
  }

  private map(map: object, depth: number): number {
    const entries = mapEntries(map);
    let bytes = 0;
    let some = 0;
    for (; some < 10; some++) {
      const { done, value } = nextOfMap(entries);
      if (done) break;
      const [key, held] = value as [unknown, unknown];
      bytes += this.value(key, depth + 1) + this.value(held, depth + 1);
    }
    return 64 + 36 * mapSize(map) + scaled(bytes, some, mapSize(map));
  }

  private set(set: object, depth: number): number {
    const values = setValues(set);
    let bytes = 0;
    let some = 0;
    for (; some < 10; some++) {
      const { done, value } = nextOfSet(values);
      if (done) break;
      bytes += this.value(value, depth + 1);
    }
    return 64 + 24 * setSize(set) + scaled(bytes, some, setSize(set));
  }

  private properties(value: object, depth: number): number {
    const keys = ownKeys(value);
    const some = keys.slice(0, 30);
    let bytes = 0;
    for (const key of some) {
      if (isUntouchable(value, key)) bytes += STACK_BYTES;
      else if (LINKS.has(key)) bytes += 8;
      else {
        const descriptor = describeKey(value, key);
        bytes += 8 + (descriptor && 'value' in descriptor ? this.value(descriptor.value, depth + 1) : 0);
      }
    }
    return 24 + scaled(bytes, some.length, keys.length);
  }
}

const scaled = (bytes: number, some: number, all: number): number => (some > 0 ? (bytes / some) * all : 0);
