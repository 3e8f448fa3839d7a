// What a program throws may be anything: it is described without running any of the program's code.
import type { PartHost } from './host.js';
import { inheritedDescriptor, proxies } from './peek.js';
import { isPreparedByProgram } from './stack.js';

const MAX_TEXT = 2048;

export interface ToldError {
  readonly type: string;
  readonly message: string;
  /** Empty where making it would run the program's own code. */
  readonly stack: string;
}

export type ErrorTeller = (error: unknown) => ToldError;

const { getOwnPropertyDescriptor: describe } = Reflect;

export function errorTeller(host: PartHost): ErrorTeller {
  const { isProxy } = proxies(host);
  const inherited = inheritedDescriptor(host);

  /** Formatting a stack runs the program's prepareStackTrace where it has one, and reads `name` and `message`. */
  const stackOf = (error: object): string => {
    const isPlain = ['name', 'message'].every(key => isText(inherited(error, key)));
    return isPlain && !isPreparedByProgram() ? text(ownOrNative(error)) : '';
  };

  return error => {
    if (typeof error !== 'object' || error === null)
      return { type: typeof error, message: typeof error === 'function' ? '' : cut(String(error)), stack: '' };
    if (isProxy(error)) return { type: 'Proxy', message: '', stack: '' };
    const name = inherited(error, 'name')?.value;
    return {
      type: typeof name === 'string' ? name : 'Object',
      message: cut(text(describe(error, 'message')?.value)),
      stack: cut(stackOf(error)),
    };
  };
}

const isText = (found: PropertyDescriptor | undefined): boolean =>
  found === undefined || typeof found.value === 'string';

/** `stack` is V8's own accessor, on the object or (since V8 12) shared: never a getter of the program. */
function ownOrNative(error: object): unknown {
  const descriptor = describe(error, 'stack');
  if (descriptor === undefined) return undefined;
  if ('value' in descriptor) return descriptor.value;
  return descriptor.get !== undefined && isNative(descriptor.get) ? descriptor.get.call(error) : undefined;
}

const functionText = Function.prototype.call.bind(Function.prototype.toString) as unknown as (f: unknown) => string;
const isNative = (f: unknown): boolean => functionText(f).includes('[native code]');

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const cut = (value: string): string => value.slice(0, MAX_TEXT);

/** One listener above the limit, and Node warns the program of a leak. */
export function takesListener(emitter: NodeJS.EventEmitter, event: string): boolean {
  const most = emitter.getMaxListeners();
  return most === 0 || emitter.listenerCount(event) < most;
}

type Rejected = (reason: unknown) => void;

/**
 * Listens to unhandled rejections beside the program's own listeners, and leaves with the last of them: a listener that
 * stands alone keeps alive what Node would end. Undefined where the program has none; else what takes it back.
 */
export function joinRejections(proc: NodeJS.Process, listener: Rejected): (() => void) | undefined {
  if (proc.listenerCount('unhandledRejection') === 0 || !takesListener(proc, 'unhandledRejection')) return undefined;
  const leave = (): void => {
    proc.removeListener('removeListener', onRemoved);
    proc.removeListener('unhandledRejection', listener);
  };
  const onRemoved = (event: unknown, removed: unknown): void => {
    if (event === 'unhandledRejection' && removed !== listener && proc.listenerCount('unhandledRejection') === 1)
      leave();
  };
  proc.on('unhandledRejection', listener);
  proc.on('removeListener', onRemoved);
  return leave;
}
