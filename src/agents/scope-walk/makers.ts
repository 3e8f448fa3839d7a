import { isObject, prototypeOf } from './intrinsics.js';
import type { Realm } from './realm.js';

/** Which object with a class of its own a plain object belongs to. */
export class Makers {
  private readonly makers = new WeakMap<object, object>();

  constructor(private readonly realm: Realm) {}

  /** The object with a class that an owner belongs to: itself, or the one that leads to it through plain objects. */
  of(owner: object | undefined): WeakRef<object> | undefined {
    const maker = owner && this.isPlain(owner) ? this.makers.get(owner) : owner;
    return maker && new WeakRef(maker);
  }

  note(owner: object, value: object): void {
    if (!this.isPlain(value) || this.makers.has(value)) return;
    const maker = this.isPlain(owner) ? this.makers.get(owner) : owner;
    if (maker) this.makers.set(value, maker);
  }

  /** Without a class of its own, as literals and what emitters keep their events in (`Object.create(null)` above it). */
  isBag(object: object): boolean {
    if (this.isPlain(object)) return true;
    const prototype = this.realm.types.isProxy(object) ? undefined : prototypeOf(object);
    return isObject(prototype) && !this.realm.types.isProxy(prototype) && prototypeOf(prototype) === null;
  }

  /** A proxy is never asked for its prototype: that would run its handler. */
  private isPlain(object: object): boolean {
    if (this.realm.types.isProxy(object)) return false;
    const prototype = prototypeOf(object);
    return prototype === null || prototype === Object.prototype;
  }
}
