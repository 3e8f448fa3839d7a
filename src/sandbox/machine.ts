import variant from '@jitl/quickjs-singlefile-mjs-release-sync';
import {
  type CustomizeVariantOptions,
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
} from 'quickjs-emscripten-core';
import { SANDBOX_LIMITS, type SandboxLimits } from './limits.js';
import type { ScriptOutcome } from './messages.js';
import { scriptBody } from './script.js';

/** How a script reaches lens: JSON text in, a promise of JSON text out. */
export interface Outside {
  call(name: string, args: string): Promise<string>;
  /** Nothing left to compute until a call answers. */
  waiting(): void;
}

const JOBS_AT_ONCE = 100;
const LOG_LINES = 100;
const LOG_LINE_CHARS = 500;

/**
 * Runs before the script: takes `__call` away from it, keeps own copies of what it uses, and builds one async function
 * per query. Dotted names become nested objects. `console.log` fills a bounded list.
 */
const PRELUDE = `((names) => {
  const { __call: call } = globalThis;
  delete globalThis.__call;
  const { parse, stringify } = JSON;
  const { assign } = Object;
  const log = [];
  const text = value => { try { return typeof value === 'string' ? value : stringify(value) ?? String(value); } catch { return '[not printable]'; } };
  const push = log.push.bind(log);
  const print = (...values) => { if (log.length < ${LOG_LINES}) push(values.map(text).join(' ').slice(0, ${LOG_LINE_CHARS})); };
  globalThis.console = { log: print, info: print, warn: print, error: print, debug: print };
  for (const name of names) {
    const path = name.split('.');
    const last = path.pop();
    let home = globalThis;
    for (const part of path) home = home[part] ??= {};
    home[last] = async (args, ...more) => parse(await call(name, stringify([args === undefined ? {} : args, ...more])));
  }
  return (body) => body().then(value => stringify({ value: value === undefined ? null : value, log }), error => {
    const own = error instanceof Error;
    throw stringify({ error: own ? error.name + ': ' + error.message : 'thrown: ' + text(error), log });
  });
})`;

/**
 * QuickJS' own limit counts what is asked for, not what lists grow by: in five seconds they took 2 GB under a limit of
 * 32 MB (measured). WebAssembly's own bound holds for every byte. What the machine needs to begin with comes on top.
 */
const PAGE_BYTES = 65_536;
const FIRST_PAGES = 256;
const MOST_PAGES = FIRST_PAGES + SANDBOX_LIMITS.memoryBytes / PAGE_BYTES;
type Memory = NonNullable<CustomizeVariantOptions['wasmMemory']>;
// The types of Node 20 leave this global out.
const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: { readonly Memory: new (pages: { initial: number; maximum: number }) => Memory };
};
const wasmMemory = new wasm.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES });

const modules = newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory }));

/** One script in one fresh machine: no host objects, no timers, no modules; only the named queries. */
export async function runInMachine(
  code: string,
  names: readonly string[],
  limits: SandboxLimits,
  outside: Outside,
): Promise<ScriptOutcome> {
  const runtime = (await modules).newRuntime();
  runtime.setMemoryLimit(limits.memoryBytes);
  runtime.setMaxStackSize(limits.stackBytes);
  const watch = new OwnTime(limits.ownTimeMs);
  runtime.setInterruptHandler(() => watch.isOver());
  const context = runtime.newContext();
  const outcome = await new Script(context, names, limits, outside, watch).run(code);
  context.dispose();
  runtime.dispose();
  return outcome;
}

/** Counts only while the machine computes. */
class OwnTime {
  #used = 0;
  #since: number | undefined;

  constructor(readonly limitMs: number) {}

  while<T>(compute: () => T): T {
    this.#since = performance.now();
    try {
      return compute();
    } finally {
      this.#used += performance.now() - this.#since;
      this.#since = undefined;
    }
  }

  isOver(): boolean {
    return this.#used + (this.#since === undefined ? 0 : performance.now() - this.#since) > this.limitMs;
  }
}

class Script {
  #calls = 0;
  #pending = 0;
  #wake: () => void = () => {};

  constructor(
    readonly context: QuickJSContext,
    readonly names: readonly string[],
    readonly limits: SandboxLimits,
    readonly outside: Outside,
    readonly watch: OwnTime,
  ) {}

  async run(code: string): Promise<ScriptOutcome> {
    const { context } = this;
    context
      .newFunction('__call', (name, args) => this.#call(name, args))
      .consume(fn => {
        context.setProp(context.global, '__call', fn);
      });
    const started = this.watch.while(() => this.#start(code));
    if (started.error) return this.#failure(started.error);
    const outcome = await this.#finish(started.value);
    started.value.dispose();
    return outcome;
  }

  #start(code: string) {
    const { context } = this;
    const prelude = context.unwrapResult(context.evalCode(PRELUDE, 'lens'));
    const names = context.unwrapResult(context.evalCode(JSON.stringify(this.names), 'lens'));
    const runner = context.unwrapResult(context.callFunction(prelude, context.undefined, names));
    const body = context.evalCode(`(async () => {${scriptBody(code)}\n})`, 'script.js');
    const started = body.error ? body : context.callFunction(runner, context.undefined, body.value);
    for (const handle of [prelude, names, runner, ...(body.error ? [] : [body.value])]) handle.dispose();
    return started;
  }

  async #finish(promise: QuickJSHandle): Promise<ScriptOutcome> {
    const { context } = this;
    for (;;) {
      await this.#runJobs();
      const state = context.getPromiseState(promise);
      if (state.type === 'fulfilled') return state.value.consume(text => this.#success(text));
      if (state.type === 'rejected') return this.#failure(state.error);
      if (this.watch.isOver()) return this.#tooSlow();
      if (this.#pending === 0) return { error: 'The script awaits a promise that nothing will settle.', log: [] };
      await this.#nextAnswer();
    }
  }

  async #runJobs(): Promise<void> {
    const { runtime } = this.context;
    while (runtime.hasPendingJob() && !this.watch.isOver()) {
      const ran = this.watch.while(() => runtime.executePendingJobs(JOBS_AT_ONCE));
      ran.dispose();
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  #nextAnswer(): Promise<void> {
    const answered = new Promise<void>(resolve => {
      this.#wake = resolve;
    });
    this.outside.waiting();
    return answered;
  }

  #call(name: QuickJSHandle, args: QuickJSHandle): QuickJSHandle {
    const { context } = this;
    const answer = context.newPromise();
    const called = this.#ask(context.getString(name), context.getString(args));
    this.#pending++;
    const settle = (apply: () => void) => {
      this.#pending--;
      // The machine is gone when the script ended without awaiting this.
      if (!context.alive) return;
      this.watch.while(apply);
      this.#wake();
    };
    called.then(
      json => settle(() => context.newString(json).consume(text => answer.resolve(text))),
      (error: Error) => settle(() => context.newError(error.message).consume(reason => answer.reject(reason))),
    );
    return answer.handle;
  }

  #ask(name: string, args: string): Promise<string> {
    if (++this.#calls <= this.limits.calls) return this.outside.call(name, args);
    return Promise.reject(new Error(`No more than ${this.limits.calls} queries in one script.`));
  }

  #success(text: QuickJSHandle): ScriptOutcome {
    const length = this.context.getProp(text, 'length').consume(handle => this.context.getNumber(handle));
    if (length > this.limits.outputChars) return { error: tooLarge(length, this.limits.outputChars), log: [] };
    // The prelude wrote this text.
    const { value, log } = JSON.parse(this.context.getString(text)) as { value: unknown; log: string[] };
    return { json: JSON.stringify(value ?? null), log };
  }

  #failure(error: QuickJSHandle): ScriptOutcome {
    if (this.watch.isOver()) return error.consume(() => this.#tooSlow());
    return error.consume(handle => this.#describe(handle));
  }

  #describe(error: QuickJSHandle): ScriptOutcome {
    const { context, limits } = this;
    if (context.typeof(error) === 'string') {
      const length = context.getProp(error, 'length').consume(handle => context.getNumber(handle));
      if (length > limits.outputChars) return { error: tooLarge(length, limits.outputChars), log: [] };
      // Only the prelude rejects with a string: its own JSON.
      return JSON.parse(context.getString(error)) as ScriptOutcome;
    }
    const message = context.getProp(error, 'message').consume(handle => context.dump(handle));
    const name = context.getProp(error, 'name').consume(handle => context.dump(handle));
    return { error: `${name}: ${message}`, log: [] };
  }

  #tooSlow(): ScriptOutcome {
    return { error: `The script computed for more than ${this.limits.ownTimeMs / 1000} s.`, log: [] };
  }
}

const tooLarge = (length: number, most: number) =>
  `The answer has ${length} characters, ${most} are allowed: return fewer fields or fewer items.`;
