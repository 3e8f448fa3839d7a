import type { InstallPart, Part } from '../host.js';
import { passThrough, quietly, replaceMethod } from '../replace.js';
import { type Captured, capture, framesOf, isProgram } from '../stack.js';
import type { RawEnding, RawOffspring } from './raw.js';

const MAX_NAMES = 50;
const MAX_ENDINGS = 100;

/** Methods of the part `offspring`: who is started and how it ends. */
export interface OffspringPart extends Part {
  start(): void;
  stop(): RawOffspring[];
}

interface Line {
  readonly kind: 'child' | 'worker';
  readonly name: string;
  spawned: number;
  readonly endings: RawEnding[];
  stack: Captured | undefined;
}

interface EventSource {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
}

const install: InstallPart = (host): OffspringPart => {
  const { ChildProcess } = host.require('node:child_process') as typeof import('node:child_process');
  const proc = host.require('node:process') as unknown as EventSource; // process is an EventEmitter
  let lines = new Map<string, Line>();
  let born = new WeakMap<object, number>();
  let terminated = new WeakSet<object>();
  let undo: (() => void)[] = [];
  /** Listeners on workers, to be taken back from those that are alive. */
  let watched: [WeakRef<EventSource>, (...args: unknown[]) => void][] = [];

  const lineOf = (kind: Line['kind'], name: string): Line => {
    const key = lines.size < MAX_NAMES || lines.has(`${kind} ${name}`) ? name : 'others';
    const line = lines.get(`${kind} ${key}`) ?? { kind, name: key, spawned: 0, endings: [], stack: undefined };
    lines.set(`${kind} ${key}`, line);
    return line;
  };

  const ended = (kind: Line['kind'], name: string, who: object, code: unknown, signal: unknown): void => {
    const { endings } = lineOf(kind, name);
    const since = born.get(who);
    if (endings.length >= MAX_ENDINGS) return;
    endings.push({
      code: typeof code === 'number' ? code : null,
      ...(typeof signal === 'string' ? { signal } : {}),
      ...(since === undefined ? {} : { lifetimeMs: host.now() - since }),
      ...(terminated.has(who) ? { terminated: true } : {}),
    });
  };

  const spawned = (child: object, below: (...args: never[]) => unknown): void => {
    const line = lineOf('child', nameOf(child));
    line.spawned += 1;
    line.stack = capture(below);
    born.set(child, host.now());
  };

  const watchChildren = (): (() => void)[] => [
    replaceMethod(ChildProcess.prototype, 'spawn', original => {
      return function spawn(this: unknown, ...args) {
        const result = passThrough(original, this, args, spawn);
        quietly(() => spawned(this as object, spawn)); // Node calls it on a ChildProcess
        return result;
      };
    }),
    // Only inherited: taken back by deleting. Children emit a handful of events in their life.
    replaceMethod(ChildProcess.prototype, 'emit', original => {
      return function emit(this: unknown, ...args) {
        if (args[0] === 'exit') quietly(() => ended('child', nameOf(this), this as object, args[1], args[2]));
        return passThrough(original, this, args, emit);
      };
    }),
  ];

  /** Ends with code 1, as after an error that nobody caught. */
  const watchTerminate = (): (() => void) => {
    const { Worker } = host.require('node:worker_threads') as typeof import('node:worker_threads');
    return replaceMethod(Worker.prototype, 'terminate', original => {
      return function terminate(this: unknown, ...args) {
        quietly(() => terminated.add(this as object)); // Node's own throws for anything else
        return passThrough(original, this, args, terminate);
      };
    });
  };

  const onWorker = host.guard((worker: unknown): void => {
    const source = worker as EventSource; // what Node emits with 'worker'
    lineOf('worker', 'worker').spawned += 1;
    born.set(source, host.now());
    const onExit = host.guard((code: unknown) => ended('worker', 'worker', source, code, undefined), undefined);
    source.on('exit', onExit);
    watched.push([new WeakRef(source), onExit]);
  }, undefined);

  const stopWatching = (): void => {
    for (const back of undo.splice(0)) back();
    proc.removeListener('worker', onWorker);
    for (const [worker, onExit] of watched.splice(0)) worker.deref()?.removeListener('exit', onExit);
  };

  return {
    start() {
      stopWatching();
      lines = new Map();
      born = new WeakMap();
      terminated = new WeakSet();
      watched = [];
      undo = [...watchChildren(), ...(host.isLoaded('node:worker_threads') ? [watchTerminate()] : [])];
      proc.on('worker', onWorker);
    },
    stop() {
      stopWatching();
      return [...lines.values()].map(({ stack, ...line }) => ({
        ...line,
        frames: (framesOf(stack ? [stack] : [])[0] ?? []).filter(isProgram),
      }));
    },
    dispose: stopWatching,
  };
};

const SCRIPT_ENDS = ['js', 'cjs', 'mjs', 'ts', 'cts', 'mts', 'py', 'rb', 'php', 'sh', 'jar'].map(end => `.${end}`);

/** The executable's name and the first argument that is a script: arguments may hold secrets. */
function nameOf(child: unknown): string {
  const { spawnfile, spawnargs } = child as { spawnfile?: unknown; spawnargs?: unknown }; // Node's own fields
  const file = typeof spawnfile === 'string' ? base(spawnfile) : 'child';
  const script = Array.isArray(spawnargs)
    ? spawnargs.slice(1).find(arg => typeof arg === 'string' && SCRIPT_ENDS.some(end => arg.endsWith(end)))
    : undefined;
  return script === undefined ? file : `${file} ${base(String(script))}`;
}

const base = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

export default install;
