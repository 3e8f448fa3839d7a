import type { InstallPart, Part } from '../host.js';
import { Inside } from '../inside.js';
import { own } from '../peek.js';
import { type AnyFunction, passThrough, quietly, replaceMethod } from '../replace.js';
import { isLogLine, MAX_MESSAGE } from './lines.js';
import type { RawLogs } from './raw.js';
import { standards } from './standard.js';
import { Tally } from './tally.js';

/** Methods of the part `logs`: one recording at a time; whoever starts while one runs shares it. */
export interface LogsPart extends Part {
  start(asker: string): void;
  stop(asker: string): RawLogs;
}

const CONSOLE_LEVELS: { readonly [method: string]: string } = {
  log: 'info',
  info: 'info',
  dir: 'info',
  table: 'info',
  warn: 'warn',
  error: 'error', // console.trace too: it prints its stack through this one
  debug: 'debug',
};

type StreamName = 'stdout' | 'stderr';
/** Libraries write progress and debug text to stderr: by itself it says nothing about a level. */
const STREAM_LEVELS = { stdout: 'info', stderr: 'unknown' } as const;
const LOOK_AGAIN_MS = 250;

const install: InstallPart = (host): LogsPart => {
  const inside = new Inside(host);
  const standard = standards(host, inside);
  const fs = host.require('node:fs') as typeof import('node:fs');
  const { now } = host;
  const tallies = new Map<string, Tally>();
  let undo: (() => void)[] = [];
  /** Level of the console method that is running; its text arrives at the stream's write. */
  let consoleLevel: string | undefined;
  let missing: StreamName[] = [];
  let isLooking = false;
  /** A stream to a file writes through fs: what a stream hook has seen is not counted again. */
  let depth = 0;

  const note = (chunk: unknown, via: 'stream' | 'fd', fallback: string, below: AnyFunction): void => {
    const text = textOf(chunk);
    if (text === undefined) return;
    for (const tally of tallies.values()) {
      if (consoleLevel === undefined) tally.add(text, via, fallback, below);
      else tally.add(text, 'console', consoleLevel, below);
    }
  };

  /** Runs the original; only the outermost hook counts its time. */
  const through = (original: AnyFunction, self: unknown, args: unknown[], standIn: AnyFunction): unknown => {
    const began = now();
    depth += 1;
    try {
      return passThrough(original, self, args, standIn);
    } finally {
      depth -= 1;
      if (depth === 0) quietly(() => spent(now() - began));
    }
  };
  const spent = (ms: number): void => {
    for (const tally of tallies.values()) tally.writeMs += ms;
  };
  const isWatching = () => tallies.size > 0 && depth === 0;

  const hookStream = (name: StreamName, fallback: string): (() => void) =>
    replaceMethod(standard(name) ?? {}, 'write', original => {
      return function write(this: unknown, ...args) {
        if (isWatching()) quietly(() => note(args[0], 'stream', fallback, write));
        return through(original, this, args, write);
      };
    });

  const hookFs = (name: 'write' | 'writeSync'): (() => void) =>
    replaceMethod(fs, name, original => {
      return function fsWrite(this: unknown, ...args) {
        if (isWatching()) quietly(() => noteFd(args, fsWrite));
        return through(original, this, args, fsWrite);
      };
    });

  const noteFd = ([fd, chunk]: readonly unknown[], below: AnyFunction): void => {
    if (fd === 1 || fd === 2) note(chunk, 'fd', fd === 2 ? 'unknown' : 'info', below);
    // Other files are logs only when their lines say so.
    else if (looksLikeLog(chunk)) note(chunk, 'fd', 'unknown', below);
  };

  /**
   * Node's own methods alone. One that the program has put there may look for its caller by counting frames, and would
   * find lens: what it prints is seen at the stream.
   */
  const hookConsole = (method: string, level: string): (() => void) =>
    isNative(own(console, method))
      ? replaceMethod(console, method, original => {
          return function (this: unknown, ...args) {
            const before = consoleLevel;
            consoleLevel = level;
            try {
              return apply(original, this, args);
            } finally {
              consoleLevel = before;
            }
          };
        })
      : () => undefined;

  const hook = (): void => {
    undo = [
      ...Object.entries(CONSOLE_LEVELS).map(([method, level]) => hookConsole(method, level)),
      hookFs('write'),
      hookFs('writeSync'),
    ];
    missing = ['stdout', 'stderr'];
    hookStreams();
  };

  /** A stream that the program makes later is hooked when it is there. */
  const hookStreams = (): void => {
    if (tallies.size === 0) return;
    const found = missing.filter(name => standard(name) !== undefined);
    missing = missing.filter(name => !found.includes(name));
    for (const name of found) undo.push(hookStream(name, STREAM_LEVELS[name]));
    if (missing.length === 0 || isLooking) return;
    isLooking = true;
    host.setTimeout(() => {
      isLooking = false;
      hookStreams();
    }, LOOK_AGAIN_MS);
  };

  const unhook = (): void => {
    for (const back of undo.splice(0)) back();
  };

  const pending = (name: StreamName): number => standard(name)?.writableLength ?? 0;

  return {
    start(asker) {
      tallies.set(asker, new Tally(now, Date.now, now()));
      if (tallies.size === 1 && undo.length === 0) hook();
    },
    stop(asker) {
      const tally = tallies.get(asker);
      if (tally === undefined) throw new Error(`no recording of ${asker}`);
      tallies.delete(asker);
      if (tallies.size === 0) unhook();
      return tally.tell(pending('stdout') + pending('stderr'));
    },
    dispose() {
      tallies.clear();
      unhook();
      inside.dispose();
    },
  };
};

const { apply } = Reflect;
const decode = Buffer.prototype.toString;
// `call` bound to the method gives the method as a function of its receiver.
const functionText = Function.prototype.call.bind(Function.prototype.toString) as unknown as (f: unknown) => string;
const isNative = (f: unknown): boolean => typeof f === 'function' && functionText(f).includes('[native code]');

/** Text of a chunk, cut; undefined for what is none. */
function textOf(chunk: unknown): string | undefined {
  if (typeof chunk === 'string') return chunk;
  if (!(chunk instanceof Uint8Array)) return undefined;
  const view = chunk.length > 8 * MAX_MESSAGE ? chunk.subarray(0, MAX_MESSAGE) : chunk;
  return Buffer.isBuffer(view) ? decode.call(view, 'utf8') : undefined;
}

function looksLikeLog(chunk: unknown): boolean {
  const head =
    typeof chunk === 'string'
      ? chunk.slice(0, 300)
      : textOf(chunk instanceof Uint8Array ? chunk.subarray(0, 300) : undefined);
  return head !== undefined && isLogLine(head);
}

export default install;
