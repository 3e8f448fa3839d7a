import { LensError } from '../model/error.js';
import type { Connection, SendOptions } from './session.js';

/**
 * The process object as Node made it, as an expression; `require` must be available. A program may have put something
 * else in the global's place. The first `require('node:process')` of a program reads every property of process, on
 * Node 18 also those that run regular expressions (src/agents/text.ts): asked for only when the global isn't Node's own.
 */
export const PROCESS = `(text =>
  text.length < 64 && text.includes('return _process;') ? globalThis.process : require('node:process')
)(Function.prototype.toString.call(Object.getOwnPropertyDescriptor(globalThis, 'process')?.get ?? Object))`;

const DEFAULT_TIMEOUT_MS = 10_000;

/** The target may be slow to begin; the time limit of the call itself covers the waiting. */
const WIRE_SLACK_MS = 1_000;

export interface EvaluateOptions extends SendOptions {
  /** Waits for the promise that the expression makes; in a blocked loop it never settles. */
  readonly awaitPromise?: boolean;
}

/**
 * Evaluates in the target, result by value. Silent and without breaks: a pause inside an evaluate, caused by another
 * client's breakpoint or pause-on-exceptions, freezes Node 22–26 for ever.
 */
export async function evaluateIn<T>(
  connection: Connection,
  expression: string,
  options: EvaluateOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const requires = REQUIRES.test(expression);
  const hasOwn = requires && (await hasOwnRequire(connection, timeoutMs));
  if (requires && !hasOwn) await untilRoom(connection, timeoutMs);
  const answer = await connection.send(
    'Runtime.evaluate',
    {
      expression: hasOwn ? withOwnRequire(named(expression)) : named(expression),
      silent: true,
      disableBreaks: true,
      returnByValue: true,
      timeout: timeoutMs,
      awaitPromise: options.awaitPromise ?? false,
      // Gives `require` in CommonJS, ES modules and workers alike, during the synchronous part only.
      includeCommandLineAPI: requires && !hasOwn,
    },
    { timeoutMs: timeoutMs + WIRE_SLACK_MS },
  );
  if (answer.exceptionDetails) throw thrown(answer.exceptionDetails);
  return answer.result.value as T;
}

/** The word by itself: what is called `something.require` comes from elsewhere. */
const REQUIRES = /(?<![.\w])require\b/;

/** Node 20.16, 22.3 and later, as long as the program left both alone. */
const HAS_OWN = `((text, has) => text.length < 64 && text.includes('return _process;')
  && has(globalThis.process.getBuiltinModule))(
  Function.prototype.toString.call(Object.getOwnPropertyDescriptor(globalThis, 'process')?.get ?? Object),
  f => typeof f === 'function' && Function.prototype.toString.call(f).includes('normalizeRequirableId'))`;

const ownRequires = new WeakMap<Connection, Promise<boolean>>();

/**
 * Whether the target has a way to Node's modules of its own. The console's `require` is worse in two ways: packages
 * that instrument others replace it, and Node 18 and 20 crash when it is made while the stack is nearly full.
 */
function hasOwnRequire(connection: Connection, timeoutMs: number): Promise<boolean> {
  const known = ownRequires.get(connection);
  if (known) return known;
  const asked = evaluateIn<boolean>(connection, HAS_OWN, { timeoutMs });
  ownRequires.set(connection, asked);
  asked.catch(() => ownRequires.delete(connection));
  return asked;
}

const withOwnRequire = (expression: string): string =>
  `(require => (\n${expression}\n))(globalThis.process.getBuiltinModule)`;

/** About 100 kB of stack, as agents/midway.ts has it. */
const ROOM = '(function descend(levels) { return levels === 0 ? true : descend(levels - 1) && true; })(1600)';
const ROOM_WAIT_MS = 5_000;
const ROOM_BREATH_MS = 1;

async function untilRoom(connection: Connection, timeoutMs: number): Promise<void> {
  const until = performance.now() + ROOM_WAIT_MS;
  for (;;) {
    const hasRoom = await evaluateIn<boolean>(connection, ROOM, { timeoutMs }).catch(fullOrThrow);
    if (hasRoom) return;
    if (performance.now() > until) throw fullStack();
    await new Promise(wake => setTimeout(wake, ROOM_BREATH_MS));
  }
}

export const fullStack = (): LensError =>
  new LensError('target-blocked', "The target's stack is nearly full.", 'It seems to recurse without end.');

/** False for the answer of a stack that has no room for the question itself. */
export function fullOrThrow(error: unknown): false {
  if (error instanceof LensError && error.message.includes('Maximum call stack size')) return false;
  throw error;
}

/** The host has its own copy of setImmediate; where there is none (yet, or any more) the global one must do. */
const TURN = `(host => host ? host.turn() : new Promise(done => setImmediate(done)))(globalThis[Symbol.for('lens.v1')])`;

/** A round trip over setImmediate: false when the event loop does not turn within the time. Rejects when the target is lost. */
export async function loopTurns(connection: Connection, timeoutMs: number): Promise<boolean> {
  const call = { expression: named(TURN), silent: true, disableBreaks: true, returnByValue: true, awaitPromise: true };
  try {
    const { exceptionDetails } = await connection.send('Runtime.evaluate', call, { timeoutMs });
    return exceptionDetails === undefined;
  } catch (error) {
    if (error instanceof LensError && error.code === 'timeout') return false;
    throw error;
  }
}

/** Profiles tell lens' own code by this url. */
function named(expression: string): string {
  return expression.includes('//# sourceURL=') ? expression : `${expression}\n//# sourceURL=lens:evaluate`;
}

function thrown(details: { text: string; exception?: { description?: string; value?: unknown } }): LensError {
  const what = details.exception?.description ?? String(details.exception?.value ?? details.text);
  return new LensError('protocol', `Code of lens failed in the target: ${what.split('\n', 3).join(' ')}`);
}
