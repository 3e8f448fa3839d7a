// Own copies, taken when lens arrives: a program may replace these later, or have replaced what reads through them.
export const ownKeys = Reflect.ownKeys;
const descriptorOf = Reflect.getOwnPropertyDescriptor;

/**
 * Globals that Node 22 and later load when somebody merely looks at them; `Request` alone brings undici, 20 ms and some
 * megabytes. Nothing of the program's hangs there.
 */
const LAZY = new Set<PropertyKey>(
  (
    'BroadcastChannel ByteLengthQueuingStrategy CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey ' +
    'DecompressionStream ErrorEvent EventSource File FormData Headers MessageChannel MessageEvent MessagePort Navigator ' +
    'Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList ' +
    'PerformanceResourceTiming QuotaExceededError ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ' +
    'ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response Storage ' +
    'SubtleCrypto TextDecoderStream TextEncoderStream TransformStream TransformStreamDefaultController WebSocket ' +
    'WritableStream WritableStreamDefaultController WritableStreamDefaultWriter crypto localStorage navigator ' +
    'sessionStorage'
  ).split(' '),
);

/**
 * A property's descriptor, or undefined where even looking throws: a scope's variable in its temporal dead zone
 * ("Cannot access 'x' from debugger"), an export not yet evaluated, a proxy's trap.
 */
export function describeKey(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  if (object === globalThis && LAZY.has(key)) return undefined;
  try {
    return descriptorOf(object, key);
  } catch {
    return undefined;
  }
}

export const prototypeOf = Reflect.getPrototypeOf;
export const plainKeys = Object.keys;
export const symbolsOf = Object.getOwnPropertySymbols;
export const isArray = Array.isArray;
export const isView = ArrayBuffer.isView;

/** The method as a function of its receiver. */
function uncurry<R>(method: unknown): (self: unknown) => R {
  // `call` bound to the method: it needs no lookup on the receiver, whatever the program did to its prototypes.
  return Function.prototype.call.bind(method as () => R) as (self: unknown) => R;
}

const getter = (prototype: object, key: PropertyKey) => describeKey(prototype, key)?.get;
const typedArray = prototypeOf(Uint8Array.prototype) as object;

export const functionText = uncurry<string>(Function.prototype.toString);
export const mapSize = uncurry<number>(getter(Map.prototype, 'size'));
export const setSize = uncurry<number>(getter(Set.prototype, 'size'));
export const mapEntries = uncurry<Iterator<[unknown, unknown]>>(Map.prototype.entries);
export const setValues = uncurry<Iterator<unknown>>(Set.prototype.values);
// The iterators' prototypes have no name of their own; `next` is read from a fresh iterator.
export const nextOfMap = uncurry<IteratorResult<[unknown, unknown]>>(new Map().entries().next);
export const nextOfSet = uncurry<IteratorResult<unknown>>(new Set().values().next);
export const bufferOf = uncurry<ArrayBufferLike>(getter(typedArray, 'buffer'));
export const viewLength = uncurry<number>(getter(typedArray, 'byteLength'));
export const bufferLength = uncurry<number>(getter(ArrayBuffer.prototype, 'byteLength'));
export const sharedLength = uncurry<number>(getter(SharedArrayBuffer.prototype, 'byteLength'));
export const viewBuffer = uncurry<ArrayBufferLike>(getter(DataView.prototype, 'buffer'));

const getWeakly = Function.prototype.call.bind(WeakMap.prototype.get) as (map: object, key: object) => unknown;
/** What a WeakMap holds for a key. */
export const weaklyHeld = (map: object, key: object): unknown => getWeakly(map, key);

const hasEnumerable = Function.prototype.call.bind(Object.prototype.propertyIsEnumerable);
/** Own and enumerable; tells without reading the descriptor. */
export const isEnumerable = (object: object, key: PropertyKey): boolean => hasEnumerable(object, key);

/** Prototypes and objects every program shares: nothing of the program's own hangs there. */
export const SHARED: readonly object[] = [
  Object.prototype,
  Function.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Promise.prototype,
  RegExp.prototype,
  Date.prototype,
  Error.prototype,
  Symbol.prototype,
  String.prototype,
  Number.prototype,
  typedArray,
];

export const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** An own data property's value; undefined for accessors, for absent keys, and where reading throws (TDZ namespaces). */
export function own(object: unknown, key: PropertyKey): unknown {
  if (!isObject(object)) return undefined;
  try {
    const descriptor = describeKey(object, key);
    return descriptor && 'value' in descriptor ? descriptor.value : undefined;
  } catch {
    return undefined;
  }
}
