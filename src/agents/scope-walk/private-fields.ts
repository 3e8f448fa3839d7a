import { isWordChar } from '../text.js';
import { functionText, isObject, prototypeOf, weaklyHeld } from './intrinsics.js';
import { LIMITS, type Realm } from './realm.js';

const MOST_PARENTS = 4;

interface Instance {
  readonly object: object;
  readonly node: number;
}

interface Field {
  readonly map: object;
  readonly name: string;
}

/** Fields that no property shows: `#name`, which the inspector reads, and what compilers for older engines make of it. */
export class PrivateFields {
  private readonly declaring = new WeakMap<object, boolean>();
  private readonly compiling = new WeakMap<object, boolean>();
  private instances: Instance[] = [];
  private fields: Field[] = [];

  /** `found` gets the value of each compiled field of each instance, once both are known. */
  constructor(
    private readonly realm: Realm,
    private readonly found: (instance: Instance, name: string, value: object) => void,
  ) {}

  /** Whether a class, or one that it extends, declares a `#name`. */
  isDeclaredBy(maker: object): boolean {
    const known = this.declaring.get(maker);
    if (known !== undefined) return known;
    let found = false;
    let at: unknown = maker;
    for (let depth = 0; depth < MOST_PARENTS && typeof at === 'function' && !found; depth++) {
      if (this.realm.types.isProxy(at)) break;
      const text = functionText(at);
      found = text.startsWith('class') && namesPrivate(text);
      at = prototypeOf(at);
    }
    this.declaring.set(maker, found);
    return found;
  }

  /** Compilers for older engines keep #private fields in a WeakMap each, a variable beside the class. */
  isCompiledIn(maker: object): boolean {
    const known = this.compiling.get(maker);
    if (known !== undefined || this.realm.builtin.has(maker)) return known ?? false;
    const text = functionText(maker);
    const found = text.includes('.set(this, ') || text.includes('PrivateFieldInitSpec(this, ');
    this.compiling.set(maker, found);
    return found;
  }

  noteInstance(object: object, node: number): void {
    if (this.instances.length >= LIMITS.compiledObjects) return;
    const instance = { object, node };
    this.instances.push(instance);
    for (const field of this.fields) this.look(instance, field);
  }

  noteWeakMap(map: object, name: string): void {
    if (this.fields.length >= LIMITS.compiledFields) return;
    const field = { map, name };
    this.fields.push(field);
    for (const instance of this.instances) this.look(instance, field);
  }

  forget(): void {
    this.instances = [];
    this.fields = [];
  }

  private look(instance: Instance, { map, name }: Field): void {
    const value = weaklyHeld(map, instance.object);
    if (isObject(value)) this.found(instance, name, value);
  }
}

/** Whether a class' source has a `#name`. */
function namesPrivate(text: string): boolean {
  for (let at = text.indexOf('#'); at >= 0; at = text.indexOf('#', at + 1))
    if (isWordChar(text.charAt(at + 1))) return true;
  return false;
}
