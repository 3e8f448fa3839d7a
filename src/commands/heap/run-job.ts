import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, LensError } from '../../model/error.js';
import type { HeapJob, HeapResult, OnProgress } from './job.js';
import { SecondCore } from './second-thread.js';
import type { WorkerMessage } from './worker.js';

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Does a heap job in a worker thread, so that the terminal (or an attached session) goes on. Aborting ends the worker
 * within milliseconds, whatever it does. From sources (tests) there is no bundled worker: then it runs right here.
 */
export function runHeapJob(job: HeapJob, options: RunOptions = {}): Promise<HeapResult> {
  const script = new URL('./heap-worker.js', import.meta.url);
  return existsSync(script) ? inWorker(script, job, options) : here(job, options);
}

async function here(job: HeapJob, { signal, onProgress }: RunOptions): Promise<HeapResult> {
  const { doHeapJob } = await import('./job.js');
  return doHeapJob(job, (text, share) => {
    signal?.throwIfAborted();
    onProgress?.(text, share);
  });
}

function inWorker(script: URL, job: HeapJob, { signal, onProgress }: RunOptions): Promise<HeapResult> {
  return new Promise((resolve, reject) => {
    const worker = startWorker(script, job);
    const end = (settle: () => void) => {
      signal?.removeEventListener('abort', abort);
      settle();
      void worker.terminate();
    };
    const abort = () => end(() => reject(signal?.reason));
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort);
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'progress') onProgress?.(message.text, message.share);
      else if (message.type === 'result') end(() => resolve(message.result));
      else end(() => reject(asError(message)));
    });
    worker.on('error', error => end(() => reject(outOfMemory(error))));
  });
}

/** What the reader makes lies in typed arrays; more room for young objects would only fill up (7 MB less, no dearer). */
const YOUNG_MB = 2;

/**
 * The reader is a few loops that run for long: each is compiled as soon as it is hot, and the thread waits for that. By
 * default V8 compiles beside it, while the loop crawls on in bytecode: a fifth more cpu at 150 MB, a third at 4 MB. From
 * Node 24 on a loop that Maglev has compiled stays as it is where nothing compiles beside it: five times slower (measured).
 */
const COMPILES_BESIDE = Number.parseInt(process.versions.node, 10) >= 24;

/**
 * Does a job in this thread, for a command that does nothing else: nobody waits for a worker to start, and there is one
 * isolate less. A second thread starts while the code of this one is loaded.
 */
export async function doHeapJobHere(job: HeapJob, onProgress?: OnProgress): Promise<HeapResult> {
  if (!COMPILES_BESIDE) {
    setFlagsFromString('--no-concurrent-recompilation'); // of the second thread: read when an isolate is made
    setFlagsFromString('--no-concurrent-osr'); // of this one: its long loops
  }
  const second = SecondCore.start(job.kind === 'difference' ? (job.paths[0] ?? '') : job.path);
  const { doHeapJob } = await import('./job.js');
  return doHeapJob(job, onProgress, second);
}

function startWorker(script: URL, job: HeapJob): Worker {
  if (!COMPILES_BESIDE) setFlagsFromString('--no-concurrent-recompilation'); // read when an isolate is made: the worker's
  const worker = new Worker(script, { workerData: job, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
  const restore = () => setFlagsFromString('--concurrent-recompilation');
  worker.once('online', restore).once('exit', restore);
  return worker;
}

function asError({ message, code, hint, stack }: Extract<WorkerMessage, { type: 'error' }>): Error {
  // The worker sends codes of LensErrors only.
  if (code !== undefined) return new LensError(code as ErrorCode, message, hint);
  const error = new Error(message);
  if (stack) error.stack = stack;
  return error;
}

function outOfMemory(error: Error): Error {
  if (!('code' in error) || error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  return new LensError(
    'file-malformed',
    'The analysis ran out of JavaScript memory.',
    'Set NODE_OPTIONS=--max-old-space-size=4096.',
    { cause: error },
  );
}
