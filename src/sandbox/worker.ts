// Runs in a thread of its own: some built-ins of the machine loop without ever asking whether they may go on.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { runInMachine } from './machine.js';
import type { FromWorker, ScriptOutcome, ToWorker } from './messages.js';

const port = parentPort!;
const say = (message: FromWorker) => port.postMessage(message);
const open = new Map<number, { resolve(json: string): void; reject(error: Error): void }>();
let calls = 0;

function call(name: string, args: string): Promise<string> {
  const id = ++calls;
  say({ type: 'call', id, name, args });
  return new Promise((resolve, reject) => open.set(id, { resolve, reject }));
}

async function run(message: Extract<ToWorker, { type: 'run' }>): Promise<void> {
  const outside = { call, waiting: () => say({ type: 'waiting' }) };
  try {
    const outcome = await runInMachine(message.code, message.names, message.limits, outside);
    say({ type: 'done', outcome, reusable: !('error' in outcome) && open.size === 0 });
  } catch (error) {
    say({ type: 'done', outcome: broken(error), reusable: false });
  }
}

/** The machine itself gave up: its memory or this thread's stack was exhausted. */
function broken(error: unknown): ScriptOutcome {
  const reason = error instanceof Error ? error.message : String(error);
  return { error: `The script exhausted the sandbox: ${reason.slice(0, 200)}`, log: [] };
}

/** A script that computes must not take a core from the target. On Linux, 0 is this thread alone. */
const LEAST_PRIORITY = 19;
if (process.platform === 'linux') setPriority(0, LEAST_PRIORITY);

port.on('message', (message: ToWorker) => {
  if (message.type === 'run') return void run(message);
  const waiting = open.get(message.id);
  open.delete(message.id);
  if (message.type === 'answer') waiting?.resolve(message.json);
  else waiting?.reject(new Error(message.message));
});
