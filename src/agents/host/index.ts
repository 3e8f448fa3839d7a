import type { InstallPart, Part, PartHost } from '../host.js';
import { hasRoom, isMidway } from '../midway.js';

export { hasRoom, isMidway };

export interface HostOptions {
  /** True when lens opened the inspector: the expiring lease closes it too. */
  readonly closeInspector: boolean;
  /** How long the target keeps lens' code after the last renewal, in milliseconds. */
  readonly leaseMs: number;
}

type Method = (...args: unknown[]) => unknown;
type InstalledPart = Part & Record<string, Method>;

const KEY = Symbol.for('lens.v1');

const INSPECTOR = 'node:inspector';
const INSPECTOR_LOADED = 'NativeModule inspector';
const LOADED_BY_LENS = 'NativeModule inspector (lens)';

/** How often the target looks whether the lease ran out. */
const CHECK_MS = 1_000;

/**
 * What stands under `globalThis[Symbol.for('lens.v1')]`: the parts of lens in this process, and the lease that takes
 * them back when lens is killed. Everything it calls later is captured now, so that a program that patches its
 * globals afterwards neither sees nor disturbs it.
 */
export default function install(load: (id: string) => unknown, options: HostOptions): void {
  const process = processOf(load);
  const timers = load('node:timers') as typeof import('node:timers');
  const { performance } = load('node:perf_hooks') as typeof import('node:perf_hooks');
  const debugEnd = Reflect.get(process, '_debugEnd') as (() => void) | undefined;
  const { setTimeout, setImmediate, setInterval, clearInterval } = timers;
  const nextTick = process.nextTick;
  const stringify = JSON.stringify;
  // The prototype's: programs that fake their clock put their own on the object, and a lease must not stand still.
  const now = (Object.getPrototypeOf(performance) as typeof performance).now.bind(performance);
  // The intrinsic one, whatever the program put in the global's place.
  const NativePromise = (async () => {})().constructor as PromiseConstructor;
  const parts = new Map<string, InstalledPart>();

  let queues = { microtask: false, nextTick: false };
  let leaseMs = options.leaseMs;
  let renewedAt = now();
  let checkedAt = renewedAt;
  let graced = false;
  let checks = 0;

  /** Written down beside it: a later lens must not take it for the program's. */
  const loadInspector = (): unknown => {
    const list = loaded(process);
    if (!list.includes(INSPECTOR_LOADED)) list.push(LOADED_BY_LENS);
    return load(INSPECTOR);
  };

  const failures = new Map<string, string>();

  /** What a part does on its own account must never be the target's uncaught exception: the part goes, the target stays. */
  const guarding =
    (name: string): PartHost['guard'] =>
    (work, otherwise) =>
      function (this: unknown, ...args) {
        try {
          return work.apply(this, args);
        } catch (error) {
          failures.set(name, wordsOf(error));
          remove(name);
          return otherwise;
        }
      };

  const hostFor = (name: string): PartHost => {
    const guard = guarding(name);
    return {
      require: id => (id === 'node:process' ? process : id === INSPECTOR ? loadInspector() : load(id)),
      isLoaded: id => loaded(process).includes(`NativeModule ${id.slice('node:'.length)}`),
      now,
      guard,
      setTimeout: (callback, ms) => setTimeout(guard(callback, undefined), ms).unref(),
      setImmediate: callback => setImmediate(guard(callback, undefined)),
      atRest: work => (isMidway() ? void setImmediate(guard(work, undefined)) : work()),
    };
  };

  const dispose = (): string[] => {
    clearInterval(lease);
    const residue = [...parts.keys()].reverse().flatMap(name => remove(name));
    Reflect.deleteProperty(globalThis, KEY);
    return residue;
  };

  const remove = (name: string): string[] => {
    const part = parts.get(name);
    parts.delete(name);
    try {
      part?.dispose();
      return [];
    } catch (error) {
      return [`The agent "${name}" could not be taken back: ${wordsOf(error)}`];
    }
  };

  const check = () => {
    const at = now();
    // After a blocked loop this timer may run before the renewals that wait in the inspector's queue. Once only: a
    // program that blocks all the time would keep a dead lens for ever.
    if (at - checkedAt > 2 * CHECK_MS && !graced) {
      renewedAt = Math.max(renewedAt, at - leaseMs / 2);
      graced = true;
    }
    checkedAt = at;
    checks += 1;
    // Counted too, for a clock that stands still all the same.
    if (at - renewedAt < leaseMs && checks * CHECK_MS < leaseMs) return;
    dispose();
    if (options.closeInspector) debugEnd?.call(process);
  };
  const safely = (work: () => void) => () => {
    try {
      work();
    } catch {
      // The program broke what this stands on; the next check tries again.
    }
  };
  const lease = setInterval(safely(check), CHECK_MS);
  lease.unref();

  const api = {
    opened: () => options.closeInspector,
    renew(ms: number) {
      leaseMs = ms;
      renewedAt = now();
      graced = false;
      checks = 0;
      return true;
    },
    install(name: string, make: InstallPart, partOptions: unknown) {
      if (parts.has(name)) return;
      // A part is its methods and dispose; that is all the host ever calls.
      failures.delete(name);
      parts.set(name, make(hostFor(name), partOptions) as InstalledPart);
    },
    call(name: string, method: string, args: unknown[]) {
      const part = parts.get(name);
      if (!part) throw new Error(failures.get(name) ?? `no agent "${name}" is installed`);
      return stringify((part[method] as Method)(...args));
    },
    remove,
    dispose,
    isMidway,
    hasRoom,
    /** Whether the program itself has loaded node:inspector: it may hold a debugger of its own. */
    debugsItself: () => loaded(process).includes(INSPECTOR_LOADED) && !loaded(process).includes(LOADED_BY_LENS),
    /** Puts one callback into each queue that runs between macrotasks; `ran` tells later which of them had its turn. */
    probeQueues() {
      const ran = { microtask: false, nextTick: false };
      queues = ran;
      nextTick(() => {
        ran.nextTick = true;
      });
      NativePromise.resolve().then(() => {
        ran.microtask = true;
      });
    },
    queuesRan: () => queues,
    turn: () => new NativePromise<void>(resolve => void setImmediate(resolve)),
  };
  Object.defineProperty(globalThis, KEY, { value: api, enumerable: false, configurable: true, writable: false });
}

/** An error's message where it is plain text; a program may have thrown anything, with a toString of its own. */
function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const message = Object.getOwnPropertyDescriptor(error, 'message')?.value;
  return typeof message === 'string' ? message : 'unknown';
}

/** Undocumented, since Node 0.10. */
const loaded = (process: NodeJS.Process): string[] => Reflect.get(process, 'moduleLoadList') ?? [];

/** inspector/evaluate.ts says why it is not always asked for by `require`. */
function processOf(load: (id: string) => unknown): NodeJS.Process {
  const getter = Object.getOwnPropertyDescriptor(globalThis, 'process')?.get;
  const text = getter === undefined ? '' : Function.prototype.toString.call(getter);
  const isNodes = text.length < 64 && text.includes('return _process;');
  return (isNodes ? globalThis.process : load('node:process')) as NodeJS.Process;
}
