import { LensError } from '../model/error.js';
import type { Json } from '../model/json.js';
import { agentCode } from './agent-code.js';
import { evaluateIn, fullOrThrow, fullStack } from './evaluate.js';
import type { AgentHost, Connection, SendOptions } from './session.js';

/** Long enough to outlive a busy lens, short enough that a killed one is forgotten soon. */
const LEASE_MS = 10_000;
const RENEW_EVERY_MS = 2_000;

/**
 * Node's own code is what a busy loop is interrupted in about every second time; it gets out of it within microseconds.
 * A program that hangs there is looked at all the same.
 */
const MOST_TRIES = 25;
const PATIENCE_MS = 1_000;
const BREATH_MS = 1;
/** A program that recurses without end leaves the end of its stack only once in a while. */
const ROOM_PATIENCE_MS = 5_000;

const HOST = `globalThis[Symbol.for('lens.v1')]`;

export interface Lease {
  /** True when lens opened the inspector: the expiring lease closes it. */
  readonly opened: boolean;
  readonly leaseMs?: number | undefined;
}

/** lens' side of the code in the target: installs the host first, renews its lease, and takes everything back. */
export class LeasedAgentHost implements AgentHost {
  readonly #connection: Connection;
  readonly #installed = new Map<string, Promise<void>>();
  readonly #leaseMs: number;
  #renewal: NodeJS.Timeout | undefined;

  private constructor(connection: Connection, leaseMs: number) {
    this.#connection = connection;
    this.#leaseMs = leaseMs;
  }

  /** Installs the host; one that a killed lens left behind is disposed of first, and its duty to close is inherited. */
  static async start(connection: Connection, lease: Lease): Promise<{ agent: LeasedAgentHost; opened: boolean }> {
    const left = await answerAtRest<boolean | null>(
      connection,
      `(h => h ? [h.opened(), h.dispose()][0] : null)(${HOST})`,
    );
    const closeInspector = lease.opened || left === true;
    const leaseMs = lease.leaseMs ?? LEASE_MS;
    const options = { closeInspector, leaseMs };
    const code = await agentCode('host');
    const install = `__lensPart.default(require, ${JSON.stringify(options)})`;
    await evaluateAtRest(connection, unlessMidway =>
      script('host', `${code}\n;${unlessMidway('__lensPart')}`, install),
    );
    const agent = new LeasedAgentHost(connection, leaseMs);
    agent.#renewal = setInterval(() => agent.#renew(), RENEW_EVERY_MS).unref();
    return { agent, opened: closeInspector };
  }

  install(name: string, options: Json = null): Promise<void> {
    const known = this.#installed.get(name);
    if (known) return known;
    const installing = this.#install(name, options);
    this.#installed.set(name, installing);
    installing.catch(() => this.#installed.delete(name));
    return installing;
  }

  async call<T>(name: string, method: string, args: readonly Json[] = [], options: SendOptions = {}): Promise<T> {
    const call = `${HOST}.call(${JSON.stringify(name)}, ${JSON.stringify(method)}, ${JSON.stringify(args)})`;
    const text = await answerAtRest<string | null>(this.#connection, call, options);
    // The part's own contract says what its JSON holds.
    return (text === null ? undefined : JSON.parse(text)) as T;
  }

  async remove(name: string): Promise<void> {
    if (!this.#installed.delete(name)) return;
    const left = await answerAtRest<string[]>(this.#connection, `${HOST}?.remove(${JSON.stringify(name)}) ?? []`);
    if (left[0] !== undefined) throw new LensError('protocol', left[0]);
  }

  /** Disposes of every part and of the host itself; returns what could not be taken back. */
  async dispose(timeoutMs: number): Promise<readonly string[]> {
    this.stop();
    this.#installed.clear();
    return answerAtRest<string[]>(this.#connection, `${HOST}?.dispose() ?? []`, { timeoutMs });
  }

  /** Stops renewing; the target forgets lens when the lease runs out. */
  stop(): void {
    clearInterval(this.#renewal);
  }

  async #install(name: string, options: Json): Promise<void> {
    const code = await agentCode(name);
    const install = `${HOST}.install(${JSON.stringify(name)}, __lensPart.default, ${JSON.stringify(options)})`;
    await evaluateAtRest(this.#connection, unlessMidway => script(name, `${unlessMidway(HOST)}\n${code}`, install));
  }

  #renew(): void {
    evaluateIn(this.#connection, `${HOST}?.renew(${this.#leaseMs})`).catch(() => {}); // a lost target is noticed by its session
  }
}

/** One expression of lens' in the target, begun where Node's own code is not interrupted. */
function answerAtRest<T>(connection: Connection, expression: string, options?: SendOptions): Promise<T> {
  return evaluateAtRest(connection, unlessMidway => script('evaluate', unlessMidway(HOST), expression), options);
}

type Write = (unlessMidway: (owner: string) => string) => string;

/** What an evaluate answers that did nothing: Node's own code was interrupted, or the stack was nearly full. */
type Put = 'midway' | 'full';

/** Asks again while nothing was done: agents/midway.ts says what could happen otherwise. */
async function evaluateAtRest<T>(connection: Connection, write: Write, options?: SendOptions): Promise<T> {
  const full = (owner: string) => `if (${owner}?.hasRoom?.() === false) return 'full';`;
  const patient = write(owner => `${full(owner)} if (${owner}?.isMidway?.()) return 'midway';`);
  const insistent = write(full);
  const startedAt = performance.now();
  for (let tries = 1; ; tries++) {
    const waitedMs = performance.now() - startedAt;
    const insist = tries >= MOST_TRIES || waitedMs > PATIENCE_MS;
    const answer = await evaluateIn<[T] | Put>(connection, insist ? insistent : patient, options).catch(fullOrThrow);
    if (typeof answer === 'object') return answer[0];
    if (answer !== 'midway' && waitedMs > ROOM_PATIENCE_MS) throw fullStack();
    await new Promise(wake => setTimeout(wake, BREATH_MS));
  }
}

/** A bundle declares a variable: inside a function, so that nothing is left on the target's globalThis. */
function script(name: string, code: string, last: string): string {
  return `(function () { ${code}\n;return [${last}]; })()\n//# sourceURL=lens:${name}`;
}
