import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export type SandboxWorker = Worker;

/** QuickJS recurses on the thread's own stack: 256 kB of its frames overflow the default 4 MB only together with V8's. */
const STACK_MB = 8;
/** The thread's JavaScript heap; the machine's own memory is WebAssembly's and limited by itself. */
const HEAP_MB = 64;
const MOST_IDLE = 2;

const idle: Worker[] = [];

/** Built by scripts/build.mjs; from the sources (tests) it lies across the folder. */
function workerFile(): string {
  const candidates = ['./sandbox/worker.js', '../../dist/sandbox/worker.js', '../dist/sandbox/worker.js'];
  const found = candidates.map(path => fileURLToPath(new URL(path, import.meta.url))).find(path => existsSync(path));
  if (!found) throw new Error('dist/sandbox/worker.js is missing: run `npm run build`.');
  return found;
}

/** A thread with a machine of its own; one script at a time. It doesn't keep the process alive while idle. */
export async function borrowWorker(): Promise<SandboxWorker> {
  const waiting = idle.pop();
  waiting?.ref();
  return waiting ?? startWorker();
}

function startWorker(): Worker {
  const worker = new Worker(workerFile(), {
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
    env: {},
    execArgv: [],
    // The machine prints its own failed assertions: nobody's terminal needs them.
    stdout: true,
    stderr: true,
  });
  // A thread that fails while idle is nobody's error; the next borrower gets another.
  worker.on('error', () => {});
  worker.once('exit', () => {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  });
  return worker;
}

export async function returnWorker(worker: SandboxWorker, reusable: boolean): Promise<void> {
  if (!reusable || idle.length >= MOST_IDLE) {
    await worker.terminate();
    return;
  }
  worker.unref();
  idle.push(worker);
}

/** Ends the idle threads, for a program that wants to leave no handle behind. */
export async function closeSandbox(): Promise<void> {
  await Promise.all(idle.splice(0).map(worker => worker.terminate()));
}
