import type { Session } from 'node:inspector';
import type { RawLocation } from './handles/raw.js';
import type { PartHost } from './host.js';

const GROUP = 'lens.inside';
const DOOR = Symbol.for('lens.inside');
/** Not asked: it runs getters of Node's own there, which warn on stderr and load modules. */
const GLOBAL = 'Global';
const SILENT = { objectGroup: GROUP, silent: true } as const;

interface RemoteValue {
  readonly objectId?: string;
  readonly description?: string;
  readonly value?: unknown;
}
interface Properties {
  readonly result: readonly { readonly name: string; readonly value?: RemoteValue }[];
  readonly internalProperties?: readonly { readonly name: string; readonly value?: RemoteValue }[];
}

/** Looks into functions and promises through a same-thread inspector session that never enables Debugger. */
export class Inside {
  private session: Session | undefined;

  constructor(private readonly host: PartHost) {}

  /** The variable of that name that a function closes over; undefined when it closes over none. */
  variable(f: object, name: string): unknown {
    let found: unknown;
    const take = (value: unknown): void => {
      found = value;
    };
    this.with({ f, take }, f_ => {
      const scopes = internal(this.properties(f_), '[[Scopes]]')?.objectId;
      for (const scope of scopes ? this.properties(scopes).result : []) {
        if (!scope.value?.objectId || scope.value.description === GLOBAL) continue;
        const value = this.properties(scope.value.objectId).result.find(property => property.name === name)?.value;
        if (value?.objectId) return this.hand(value.objectId);
      }
    });
    return found;
  }

  /** Where V8 says the function begins (0-based); a bound function's target; undefined for native functions. */
  location(f: object): RawLocation | undefined {
    let found: RawLocation | undefined;
    this.with({ f }, f_ => {
      const properties = this.properties(f_);
      const target = internal(properties, '[[TargetFunction]]')?.objectId;
      const of = target ? this.properties(target) : properties;
      // V8's own shape of the internal property.
      found = internal(of, '[[FunctionLocation]]')?.value as RawLocation | undefined;
    });
    return found;
  }

  /** What a promise was rejected with; undefined of one that was not, and of a rejection with a plain value. */
  reason(promise: object): unknown {
    let found: unknown;
    const take = (value: unknown): void => {
      found = value;
    };
    this.with({ f: promise, take }, f_ => {
      const properties = this.properties(f_);
      if (internal(properties, '[[PromiseState]]')?.value !== 'rejected') return;
      const reason = internal(properties, '[[PromiseResult]]')?.objectId;
      if (reason) this.hand(reason);
    });
    return found;
  }

  dispose(): void {
    this.session?.disconnect();
    this.session = undefined;
  }

  /** Opens a door on globalThis for the length of one look, because an inspector reaches objects only by name. */
  private with(door: { f: object; take?: (value: unknown) => void }, look: (f: string) => void): void {
    try {
      this.session ??= this.connect();
      Object.defineProperty(globalThis, DOOR, { value: door, configurable: true, enumerable: false });
      const expression = "globalThis[Symbol.for('lens.inside')].f";
      const { result } = this.post<{ result: RemoteValue }>('Runtime.evaluate', {
        ...SILENT,
        expression,
        disableBreaks: true,
      });
      if (result.objectId) look(result.objectId);
    } finally {
      Reflect.deleteProperty(globalThis, DOOR);
      this.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    }
  }

  private connect(): Session {
    const inspector = this.host.require('node:inspector') as typeof import('node:inspector');
    const session = new inspector.Session();
    session.connect();
    return session;
  }

  private hand(objectId: string): void {
    this.post('Runtime.callFunctionOn', {
      ...SILENT,
      objectId,
      functionDeclaration: "function(){globalThis[Symbol.for('lens.inside')].take(this)}",
    });
  }

  private properties(objectId: string): Properties {
    return this.post('Runtime.getProperties', { objectId, ownProperties: true });
  }

  /** Same-thread sessions answer before `post` returns. */
  private post<T>(method: string, params: object): T {
    let answer: unknown;
    let failed = false;
    // The typed overloads know one method each; here the method is a value.
    const post = this.session?.post as unknown as (
      m: string,
      p: object,
      done: (e: unknown, r: unknown) => void,
    ) => void;
    post.call(this.session, method, params, (error, result) => {
      failed = error !== null && error !== undefined;
      answer = result;
    });
    if (failed) throw new Error(`${method} failed`);
    return answer as T;
  }
}

const internal = ({ internalProperties = [] }: Properties, name: string): RemoteValue | undefined =>
  internalProperties.find(property => property.name === name)?.value;
