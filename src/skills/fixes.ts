import type { Mechanism } from '../cpu/mechanism.js';
import type { FaultClass } from '../model/fault.js';

/** The class of a block by what it was spent on. */
export const BLOCK_CLASS: Readonly<Record<Mechanism, FaultClass>> = {
  fs: 'loop.block.sync-api',
  crypto: 'loop.block.sync-api',
  hashing: 'loop.block.compute',
  zlib: 'loop.block.sync-api',
  child_process: 'loop.block.sync-api',
  'module-loading': 'loop.block.sync-api',
  atomics: 'loop.block.sync-api',
  native: 'loop.block.sync-api',
  regexp: 'loop.block.regexp',
  serialization: 'loop.block.serialization',
  logging: 'cpu.logging',
  exceptions: 'cpu.exceptions',
  sort: 'loop.block.compute',
  intl: 'loop.block.compute',
  compilation: 'loop.block.compute',
  copying: 'loop.block.compute',
  clock: 'cpu.busy-loop',
  http: 'loop.block.compute',
  compute: 'loop.block.compute',
};

/** What to do about it, by what the time was spent on. */
export const FIX: Readonly<Record<Mechanism, string>> = {
  fs: 'Use the promise version from node:fs/promises, or read the file once at start and keep it.',
  crypto: "Use the callback or promise version: it runs on libuv's threads and leaves the event loop free.",
  hashing: 'Hash in pieces as the data arrives, keep the result, or move it to a worker thread.',
  zlib: 'Use the asynchronous version or a zlib stream: it compresses on libuv’s threads.',
  child_process:
    'Use spawn, execFile or their promise versions: the synchronous ones stop every request until the child ends.',
  'module-loading': 'Load modules at start, not while serving; require reads and compiles files synchronously.',
  atomics: 'Atomics.wait stops the main thread: use Atomics.waitAsync, or wait in a worker.',
  native:
    'Use the asynchronous version where there is one. A database in the process: let the query do less (an index, fewer rows; EXPLAIN QUERY PLAN tells), or run it in a worker thread.',
  regexp:
    'Rewrite the expression so that it cannot backtrack (no nested or overlapping quantifiers), bound the length of its input, or use a linear-time engine such as re2.',
  serialization:
    'Make the value smaller (pages, fewer fields), stream it, serialize it once and keep the text, or do it in a worker thread.',
  logging:
    'Log less on this path, raise the level, or use a logger that writes asynchronously and formats in a worker.',
  exceptions:
    'Do not use exceptions for the ordinary case: return a value, and create errors without a stack where they are frequent.',
  sort: 'Sort once and keep the result, use one Intl.Collator instead of localeCompare, or let the database sort.',
  intl: 'Make one Intl.DateTimeFormat or Intl.NumberFormat at start and call its format: toLocaleString and new formatters cost far more.',
  compilation: 'Compile once and keep the compiled function: compiling costs far more than running it.',
  copying:
    'Add to what is there instead of copying it: push the pieces onto one list (or set the key in one object) and join them once at the end, such as a single Buffer.concat.',
  clock: 'Wait with a timer (await setTimeout) instead of asking the clock in a loop.',
  http: 'Do less per response, or move the work to a worker thread.',
  compute: 'Do less per call, keep the result, split the work with setImmediate, or move it to a worker thread.',
};

/** How a sentence names what the time was spent on. */
export const DOING: Readonly<Record<Mechanism, string>> = {
  fs: 'synchronous file access',
  crypto: 'synchronous cryptography',
  hashing: 'hashing',
  zlib: 'synchronous compression',
  child_process: 'waiting for a child process',
  'module-loading': 'loading modules synchronously',
  atomics: 'waiting in Atomics.wait',
  native: 'a synchronous native call',
  regexp: 'matching a regular expression',
  serialization: 'serializing',
  logging: 'logging',
  exceptions: 'creating errors and their stacks',
  sort: 'sorting and comparing',
  intl: 'formatting by locale',
  compilation: 'compiling code',
  copying: 'copying all it has gathered for each new piece',
  clock: 'asking the clock in a loop',
  http: 'writing responses',
  compute: 'computing',
};
