import type { Session } from 'node:inspector';
import { describeKey, isObject, ownKeys } from './intrinsics.js';
import type { Realm } from './realm.js';

/** Where V8 says a function begins: 0-based. */
export interface RawLocation {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface Scope {
  readonly description: string;
  readonly variables: object;
}

/** What hides inside a function, a bound function, a proxy, a promise or an object with #private fields. */
export interface Internals {
  location?: RawLocation;
  /** Of a promise: `pending`, `fulfilled` or `rejected`. */
  promiseState?: string;
  readonly scopes: Scope[];
  readonly values: { readonly kind: 'internal' | 'private'; readonly name: string; readonly value: unknown }[];
  /** #private fields that hold numbers, by name. */
  readonly numbers: { readonly name: string; readonly value: number }[];
}

const INTERNAL_VALUES = new Set([
  '[[TargetFunction]]',
  '[[BoundThis]]',
  '[[BoundArgs]]',
  '[[Target]]',
  '[[PromiseResult]]',
]);
const DOOR = Symbol.for('lens.scope-walk');
const GROUP = 'lens.scope-walk';

interface RemoteProperty {
  readonly name: string;
  readonly value?: { readonly objectId?: string; readonly value?: unknown };
}
interface RemoteProperties {
  readonly result: readonly RemoteProperty[];
  readonly internalProperties?: readonly RemoteProperty[];
  readonly privateProperties?: readonly RemoteProperty[];
}
interface Slot {
  readonly index: number;
  readonly kind: 'scopes' | 'internal' | 'private';
  readonly name: string;
}

/**
 * A same-thread inspector session that never enables Debugger. Scopes become live values by handing their object ids
 * back as arguments of one call.
 */
export class InspectorBridge {
  private session: Session | undefined;
  /** What an expression of the inspector can reach while a batch runs; gone from globalThis between batches. */
  private readonly door: { batch?: readonly object[]; take?: (values: readonly unknown[]) => void } = {};
  errors = 0;

  constructor(private readonly realm: Realm) {
    realm.skip.add(this.door);
  }

  /** Internals of each object, in order; shorter than `objects` when the time `until` came first. */
  read(objects: readonly object[], until = Number.POSITIVE_INFINITY): Internals[] {
    const found: Internals[] = objects.map(() => ({ scopes: [], values: [], numbers: [] }));
    try {
      this.open(objects);
      return this.readBatch(found, until);
    } catch {
      this.errors++;
      return found;
    } finally {
      this.close();
    }
  }

  dispose(): void {
    this.session?.disconnect();
    this.session = undefined;
  }

  private readBatch(found: Internals[], until: number): Internals[] {
    const { result } = this.post<{ result: { objectId: string } }>('Runtime.evaluate', {
      expression: "globalThis[Symbol.for('lens.scope-walk')].batch",
      objectGroup: GROUP,
      silent: true,
      disableBreaks: true,
    });
    const slots: Slot[] = [];
    const handles: { objectId: string }[] = [];
    let done = found.length;
    for (const { name, value } of this.properties(result.objectId).result) {
      const index = Number(name);
      if (!(index >= 0) || !value?.objectId) continue;
      if (index > 0 && this.realm.host.now() > until) {
        done = index;
        break;
      }
      this.collect(index, found[index], this.properties(value.objectId), slots, handles);
    }
    if (handles.length > 0) this.materialize(result.objectId, handles, slots, found);
    return found.slice(0, done);
  }

  private collect(
    index: number,
    into: Internals | undefined,
    from: RemoteProperties,
    slots: Slot[],
    handles: object[],
  ) {
    if (!into) return;
    const want = (kind: Slot['kind'], { name, value }: RemoteProperty) => {
      if (!value?.objectId) return;
      handles.push({ objectId: value.objectId });
      slots.push({ index, kind, name });
    };
    for (const property of from.internalProperties ?? []) {
      if (property.name === '[[FunctionLocation]]') into.location = property.value?.value as RawLocation;
      else if (property.name === '[[PromiseState]]') into.promiseState = String(property.value?.value);
      else if (property.name === '[[Scopes]]') want('scopes', property);
      else if (INTERNAL_VALUES.has(property.name)) want('internal', property);
    }
    for (const property of from.privateProperties ?? []) {
      const { name, value } = property;
      if (typeof value?.value === 'number') into.numbers.push({ name, value: value.value });
      else want('private', property);
    }
  }

  private materialize(objectId: string, handles: object[], slots: readonly Slot[], found: readonly Internals[]): void {
    this.door.take = values => {
      for (let i = 0; i < values.length; i++) place(slots[i], values[i], found);
    };
    this.post('Runtime.callFunctionOn', {
      functionDeclaration: "function(...values){globalThis[Symbol.for('lens.scope-walk')].take(values)}",
      objectId,
      arguments: handles,
      silent: true,
      objectGroup: GROUP,
    });
  }

  private open(batch: readonly object[]): void {
    if (!this.session) {
      this.session = new this.realm.inspector.Session();
      this.session.connect();
      this.realm.skip.add(this.session);
    }
    this.door.batch = batch;
    Object.defineProperty(globalThis, DOOR, { value: this.door, configurable: true, enumerable: false });
  }

  private close(): void {
    delete this.door.batch;
    delete this.door.take;
    Reflect.deleteProperty(globalThis, DOOR);
    try {
      this.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    } catch {
      this.errors++;
    }
  }

  private properties(objectId: string): RemoteProperties {
    return this.post<RemoteProperties>('Runtime.getProperties', { objectId, ownProperties: true });
  }

  /** Same-thread sessions answer before `post` returns. */
  private post<T>(method: string, params: object): T {
    let answer: unknown;
    let failure: Error | null = null;
    // The typed overloads know one method each; here the method is a value.
    const post = this.session?.post as unknown as (
      m: string,
      p: object,
      cb: (e: Error | null, r: unknown) => void,
    ) => void;
    post.call(this.session, method, params, (error, result) => {
      failure = error;
      answer = result;
    });
    if (failure) throw new Error(`${method} failed`);
    return answer as T;
  }
}

function place(slot: Slot | undefined, value: unknown, found: readonly Internals[]): void {
  const into = slot && found[slot.index];
  if (!into) return;
  if (slot.kind !== 'scopes') {
    into.values.push({ kind: slot.kind, name: slot.name, value });
    return;
  }
  // V8's own list, {description, object} each, innermost first: it has no prototype, so it can't be iterated.
  const list = value as { readonly length: number; readonly [index: number]: { description: string; object: unknown } };
  for (let i = 0; i < list.length; i++) {
    const { description, object } = list[i] ?? {};
    if (isObject(object) && object !== globalThis && description !== 'Global') {
      into.scopes.push({ description: String(description), variables: object });
    }
  }
}

/** The variables a function closes over by name, innermost winning. */
export function variablesOf(bridge: InspectorBridge, f: object): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null);
  for (const { variables } of bridge.read([f])[0]?.scopes ?? []) {
    for (const key of ownKeys(variables)) {
      const descriptor = describeKey(variables, key);
      if (typeof key === 'string' && !(key in out) && descriptor && 'value' in descriptor) out[key] = descriptor.value;
    }
  }
  return out;
}

/** Every function of the realm sees it, whichever script that is from. */
export const isScriptScope = ({ description }: Scope): boolean => description.startsWith('Script');

/**
 * A script's own top level: V8's Module or Script scope, for CommonJS the closure of the module wrapper, which has no
 * name. A module none of whose variables is used by its functions has no such scope: the outermost is a function's own.
 */
export function isModuleScope(scopes: readonly Scope[], depth: number): boolean {
  const text = scopes[depth]?.description ?? '';
  if (text.startsWith('Module') || text.startsWith('Script')) return true;
  const outermost = scopes.findLastIndex(scope => !isScriptScope(scope));
  return depth === outermost && text === 'Closure';
}
