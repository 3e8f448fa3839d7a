import type { HolderLimit } from '../../model/evidence/collection-growth.js';
import { isWordChar } from '../text.js';
import { isLimit } from './containers.js';
import { describeKey, functionText, isObject, ownKeys, prototypeOf } from './intrinsics.js';

const MOST_PARENTS = 3;
/** `get maxSize() { return this.#n; }` and a comment. */
const LONGEST_GETTER = 200;

/**
 * Minifiers rename #private fields, but not the public getters that show them: `get maxSize(){return this.#n}` says
 * what `#n` is. The getter's text is read; the getter is not called.
 */
export function limitsByGetter(holder: object, numbers: readonly HolderLimit[]): HolderLimit[] {
  if (numbers.length === 0) return [];
  const found: HolderLimit[] = [];
  let at: unknown = prototypeOf(holder);
  for (let depth = 0; depth < MOST_PARENTS && isObject(at) && at !== Object.prototype; depth++, at = prototypeOf(at)) {
    for (const key of ownKeys(at)) {
      if (typeof key !== 'string' || !isLimit(key)) continue;
      const value = shownBy(describeKey(at, key)?.get, numbers);
      if (value !== undefined) found.push({ name: key, value });
    }
  }
  return found;
}

function shownBy(get: unknown, numbers: readonly HolderLimit[]): number | undefined {
  if (typeof get !== 'function') return undefined;
  const text = functionText(get);
  if (text.length > LONGEST_GETTER) return undefined;
  return numbers.find(({ name }) => reads(text, name))?.value;
}

function reads(text: string, name: string): boolean {
  const at = text.indexOf(`this.${name}`);
  return at >= 0 && !isWordChar(text.charAt(at + 'this.'.length + name.length));
}
