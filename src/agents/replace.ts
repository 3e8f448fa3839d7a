export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Puts a stand-in with the original's own properties in a method's place; returns what puts the original back. Where
 * the object only inherited the method, taking back deletes. Does nothing where the property can't be replaced.
 */
export function replaceMethod(object: object, name: string, make: (original: AnyFunction) => AnyFunction): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const original: unknown = before === undefined ? Reflect.get(object, name) : before.value;
  const fixed = before === undefined ? !Object.isExtensible(object) : !before.configurable;
  if (fixed || typeof original !== 'function') return () => undefined;
  const standIn = make(original as AnyFunction);
  // Name, length, util.promisify's symbol and whatever else the program may ask it for.
  Object.defineProperties(standIn, Object.getOwnPropertyDescriptors(original));
  const place = before ?? { configurable: true, enumerable: true, writable: true };
  Object.defineProperty(object, name, { ...place, value: standIn });
  return () => {
    // Somebody who wrapped it meanwhile goes on calling the stand-in, which must have become a mere passage.
    if (Object.getOwnPropertyDescriptor(object, name)?.value !== standIn) return;
    if (before === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, before);
  };
}
