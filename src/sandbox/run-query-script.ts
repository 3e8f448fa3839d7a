import type { ZodType } from 'zod';
import type { Json } from '../model/json.js';
import { parseArguments, signature } from './arguments.js';
import { SANDBOX_LIMITS, type SandboxLimits } from './limits.js';
import type { FromWorker, ScriptOutcome, ToWorker } from './messages.js';
import { borrowWorker, returnWorker, type SandboxWorker } from './worker-pool.js';

/** A query as the sandbox sees it: its probe is already inside. */
export interface SandboxFunction {
  /** An identifier, or identifiers joined by dots. */
  readonly name: string;
  readonly doc: string;
  // Each function parses with its own schema before it runs.
  readonly params: ZodType<never>;
  run(params: never): Promise<Json>;
}

export type ScriptAnswer =
  | { readonly value: Json; readonly log: readonly string[] }
  | { readonly error: string; readonly log: readonly string[] };

export interface RunOptions {
  readonly limits?: Partial<SandboxLimits>;
  readonly signal?: AbortSignal;
}

/** Beyond the script's own limit the thread itself is ended: a built-in that never asks, like lastIndexOf on length 2^53. */
const GRACE_MS = 1000;

/**
 * Runs a script with the given queries as async functions. Never rejects: what goes wrong in the script, in a query or
 * with a limit is its `error`, in words that the author can act on.
 */
export async function runQueryScript(
  code: string,
  functions: readonly SandboxFunction[],
  options: RunOptions = {},
): Promise<ScriptAnswer> {
  const limits = { ...SANDBOX_LIMITS, ...options.limits };
  if (options.signal?.aborted) return { error: 'The run was stopped.', log: [] };
  const worker = await borrowWorker();
  const { outcome, reusable } = await converse(worker, code, functions, limits, options.signal);
  await returnWorker(worker, reusable);
  if (!('error' in outcome)) return { value: JSON.parse(outcome.json), log: outcome.log };
  return { error: withNames(outcome.error, functions), log: outcome.log };
}

interface Done {
  readonly outcome: ScriptOutcome;
  readonly reusable: boolean;
}

function converse(
  worker: SandboxWorker,
  code: string,
  functions: readonly SandboxFunction[],
  limits: SandboxLimits,
  signal: AbortSignal | undefined,
): Promise<Done> {
  return new Promise(resolve => {
    let timer: NodeJS.Timeout | undefined;
    const end = (done: Done) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      worker.off('message', hear);
      worker.off('error', fail);
      worker.off('exit', gone);
      resolve(done);
    };
    const spoil = (error: string) => end({ outcome: { error, log: [] }, reusable: false });
    const stop = () => spoil('The run was stopped.');
    const fail = (error: Error) => spoil(`The script exhausted the sandbox: ${error.message}`);
    const gone = () => spoil('The script ended the sandbox.');
    const watch = () => {
      clearTimeout(timer);
      const over = `The script computed for more than ${limits.ownTimeMs / 1000} s.`;
      timer = setTimeout(() => spoil(over), limits.ownTimeMs + GRACE_MS);
    };
    const say = (message: ToWorker) => {
      watch();
      worker.postMessage(message);
    };
    const hear = (message: FromWorker) => {
      if (message.type === 'done') end(message);
      else if (message.type === 'waiting') clearTimeout(timer);
      else void answer(message, functions, limits, say);
    };
    signal?.addEventListener('abort', stop);
    worker.on('message', hear).on('error', fail).on('exit', gone);
    say({ type: 'run', code, names: functions.map(fn => fn.name), limits });
  });
}

async function answer(
  call: Extract<FromWorker, { type: 'call' }>,
  functions: readonly SandboxFunction[],
  limits: SandboxLimits,
  say: (message: ToWorker) => void,
): Promise<void> {
  const { id } = call;
  try {
    say({ type: 'answer', id, json: await ask(call, functions, limits) });
  } catch (error) {
    say({ type: 'failure', id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function ask(
  { name, args }: { name: string; args: string },
  functions: readonly SandboxFunction[],
  limits: SandboxLimits,
): Promise<string> {
  const asked = functions.find(fn => fn.name === name);
  if (!asked) throw new Error(`${name} does not exist.`);
  const params = parseArguments(name, asked.params, JSON.parse(args));
  const json = JSON.stringify((await withTimeout(asked.run(params), name, limits.queryTimeoutMs)) ?? null);
  if (json.length <= limits.outputChars) return json;
  throw new Error(`${name} answers with ${json.length} characters, ${limits.outputChars} are allowed: ask for fewer.`);
}

function withTimeout<T>(work: Promise<T>, name: string, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not answer within ${ms / 1000} s.`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const UNKNOWN = /ReferenceError|is not a function|not defined|not a function/;

/** A wrong name is answered with the right ones. */
function withNames(error: string, functions: readonly SandboxFunction[]): string {
  if (!UNKNOWN.test(error)) return error;
  return `${error}. Functions here: ${functions.map(fn => signature(fn.name, fn.params)).join(', ') || 'none'}.`;
}
