import type { InstallPart, Part } from '../host.js';
import type { RawError, RawExceptions } from './raw.js';

const MAX_DISTINCT = 100;
const MAX_TEXT = 2048;
/** Making a stack's text costs up to 0.1 ms: enough of them to name the places, however many come. */
const MAX_STACKS = 300;

/** Methods of the part `exceptions`. */
export interface ExceptionsPart extends Part {
  start(): void;
  stop(): RawExceptions;
}

type Listener = (reason: unknown) => void;

const install: InstallPart = (host): ExceptionsPart => {
  const proc = host.require('node:process') as NodeJS.Process;
  let uncaught = new Errors();
  let rejections = new Errors();
  let listening = false;
  let began = 0;
  const onUncaught: Listener = error => uncaught.add(error);
  const onRejection: Listener = reason => rejections.add(reason);

  const stopListening = (): void => {
    proc.removeListener('uncaughtExceptionMonitor', onUncaught);
    proc.removeListener('unhandledRejection', onRejection);
  };

  return {
    start() {
      stopListening();
      uncaught = new Errors();
      rejections = new Errors();
      began = host.now();
      // A first listener would keep a program alive that Node ends at an unhandled rejection: only join others.
      listening = proc.listenerCount('unhandledRejection') > 0;
      proc.on('uncaughtExceptionMonitor', onUncaught);
      if (listening) proc.on('unhandledRejection', onRejection);
    },
    stop() {
      stopListening();
      return {
        windowMs: host.now() - began,
        uncaught: uncaught.tell(),
        rejections: { listening, ...rejections.tell() },
      };
    },
    dispose: stopListening,
  };
};

class Errors {
  private readonly errors = new Map<string, { -readonly [K in keyof RawError]: RawError[K] }>();
  private count = 0;

  add(error: unknown): void {
    this.count += 1;
    if (this.count > MAX_STACKS) return;
    const told = tellError(error);
    const key = `${told.type} ${told.stack}`;
    const known = this.errors.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.errors.size < MAX_DISTINCT) this.errors.set(key, told);
  }

  tell(): { count: number; errors: RawError[] } {
    return { count: this.count, errors: [...this.errors.values()].sort((a, b) => b.count - a.count) };
  }
}

function tellError(error: unknown): RawError {
  if (typeof error !== 'object' || error === null)
    return { type: typeof error, message: cut(String(error)), stack: '', count: 1 };
  const name = inherited(error, 'name');
  return {
    type: typeof name === 'string' ? name : 'Object',
    message: cut(text(own(error, 'message'))),
    stack: cut(stackOf(error)),
    count: 1,
  };
}

/** Formatting a stack runs the program's own Error.prepareStackTrace where it has one: then it is left alone. */
function stackOf(error: object): string {
  const prepare = own(Error, 'prepareStackTrace');
  const isOwn = typeof prepare === 'function' && own(prepare, 'name') !== NODES_OWN;
  return isOwn ? '' : text(ownOrNative(error));
}

/** Node 20 and later put their default there. */
const NODES_OWN = 'ErrorPrepareStackTrace';

/** `stack` is V8's own accessor, on the object or (since V8 12) shared: never a getter of the program. */
function ownOrNative(error: object): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(error, 'stack');
  if (descriptor === undefined) return undefined;
  if ('value' in descriptor) return descriptor.value;
  return descriptor.get !== undefined && isNative(descriptor.get) ? descriptor.get.call(error) : undefined;
}

const functionText = Function.prototype.call.bind(Function.prototype.toString) as unknown as (f: unknown) => string;
const isNative = (f: unknown): boolean => functionText(f).includes('[native code]');

function own(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}

function inherited(object: object, key: string): unknown {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const value = own(at, key);
    if (value !== undefined) return value;
  }
  return undefined;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const cut = (value: string): string => value.slice(0, MAX_TEXT);

export default install;
