export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const {
  apply,
  defineProperty,
  deleteProperty,
  getOwnPropertyDescriptor: describe,
  getPrototypeOf,
  isExtensible,
} = Reflect;
const { defineProperties, getOwnPropertyDescriptors } = Object;
const NativeError = Object.getPrototypeOf(TypeError) as ErrorConstructor; // %Error%
const { captureStackTrace } = NativeError;

const nothing = (): void => undefined;

/**
 * Puts a stand-in with the original's own properties in a method's place; returns what puts the original back. Where
 * the object only inherited the method, taking back deletes. Does nothing where the property can't be replaced, or is
 * an accessor: reading it would run the program's code.
 */
export function replaceMethod(object: object, name: string, make: (original: AnyFunction) => AnyFunction): () => void {
  try {
    return replace(object, name, make);
  } catch {
    return nothing; // a proxy's trap, an original whose properties can't be copied
  }
}

function replace(object: object, name: string, make: (original: AnyFunction) => AnyFunction): () => void {
  const before = describe(object, name);
  const original: unknown = before === undefined ? inherited(object, name) : before.value;
  const fixed = before === undefined ? !isExtensible(object) : !before.configurable;
  if (fixed || typeof original !== 'function') return nothing;
  const standIn = make(original as AnyFunction);
  // Name, length, util.promisify's symbol and whatever else the program may ask it for.
  defineProperties(standIn, getOwnPropertyDescriptors(original));
  const place = before ?? { configurable: true, enumerable: true, writable: true };
  if (!defineProperty(object, name, { ...place, value: standIn })) return nothing;
  return () => {
    // Somebody who wrapped it meanwhile goes on calling the stand-in, which must have become a mere passage.
    if (describe(object, name)?.value !== standIn) return;
    if (before === undefined) deleteProperty(object, name);
    else defineProperty(object, name, before);
  };
}

function inherited(object: object, name: string): unknown {
  for (let at = getPrototypeOf(object); at !== null; at = getPrototypeOf(at)) {
    const found = describe(at, name);
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/**
 * Calls the original as the program did. An error that passes through loses the stand-in's own frame: programs print
 * stacks, and lens has no business there.
 */
export function passThrough(original: AnyFunction, self: unknown, args: unknown[], standIn: AnyFunction): unknown {
  try {
    return apply(original, self, args);
  } catch (error) {
    hideFrame(error, standIn);
    throw error;
  }
}

/** Errors that Node makes at this very moment have a code; any other may be older, and its stack tells its origin. */
function hideFrame(error: unknown, standIn: AnyFunction): void {
  try {
    if (!(error instanceof NativeError) || typeof describe(error, 'code')?.value !== 'string') return;
    captureStackTrace(error, standIn);
  } catch {
    // A frozen error keeps the stack it has.
  }
}

/** Lens' own work inside a stand-in: whatever happens in it never reaches the program. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // The reading loses an entry; the program loses nothing.
  }
}
