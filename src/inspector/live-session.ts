import type { ProtocolMapping } from 'devtools-protocol/types/protocol-mapping.js';
import { LensError } from '../model/error.js';
import type { Detached } from '../model/report.js';
import type { TargetInfo } from '../model/target.js';
import type { LeasedAgentHost } from './agent-host.js';
import { endInspector } from './close-later.js';
import { closeAllConnections, type ProtocolConnection } from './connection.js';
import { LiveDebugger } from './debugger.js';
import { evaluateIn, loopTurns } from './evaluate.js';
import type { DebuggerConnection, SendOptions, Session, WorkerSession } from './session.js';
import type { Wire } from './wire.js';
import { WorkerSessions } from './worker-sessions.js';

type Commands = ProtocolMapping.Commands;
type Events = ProtocolMapping.Events;

export interface SessionParts {
  readonly connection: ProtocolConnection;
  readonly target: TargetInfo;
  readonly url: string;
  readonly openedInspector: boolean;
  readonly agent: LeasedAgentHost;
  /** Opens another wire to the same inspector. */
  readonly dial: () => Promise<Wire>;
  /** After the close: false while something still listens on the inspector's port. */
  readonly portClosed: () => Promise<boolean>;
  /** Gives back what was held outside the target: the lock, a relay. */
  readonly release: () => Promise<void>;
}

/** Leaving must not take longer than a person waits. */
const DETACH_STEP_MS = 2_000;

/** The lease in the target does the rest. */
const STILL_OPEN = '; the target closes it by itself seconds after its loop turns again.';

const attached = new Set<LiveSession>();

/** Takes lens out of every target at once, in the order that is safe for them; for lens' own sudden ends. */
export async function leaveEverything(): Promise<void> {
  await Promise.allSettled([...attached].map(session => session.detach()));
  await closeAllConnections(); // of attaches that were under way
}

/** The one implementation of Session: a control connection, the agent host and what is to be taken back. */
export class LiveSession implements Session {
  readonly #parts: SessionParts;
  readonly #undos = new Set<() => Promise<void>>();
  readonly #lost = new AbortController();
  readonly #workers: WorkerSessions;
  #detached: Promise<Detached> | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#workers = new WorkerSessions({
      connection: parts.connection,
      target: () => this.target,
      lost: this.lost,
    });
    attached.add(this);
    void parts.connection.closed.then(() => this.#lose());
    this.#letEnd();
  }

  get target(): TargetInfo {
    return this.#parts.target;
  }
  get url(): string {
    return this.#parts.url;
  }
  get openedInspector(): boolean {
    return this.#parts.openedInspector;
  }
  get lost(): AbortSignal {
    return this.#lost.signal;
  }
  get agent(): LeasedAgentHost {
    return this.#parts.agent;
  }

  send<M extends keyof Commands>(
    method: M,
    ...rest: [...Commands[M]['paramsType'], SendOptions?]
  ): Promise<Commands[M]['returnType']> {
    // TypeScript does not see that the rest parameter may be handed on as it came.
    return this.#parts.connection.send(method, ...(rest as never));
  }
  sendRaw(method: string, params?: object, options?: SendOptions): Promise<unknown> {
    return this.#parts.connection.sendRaw(method, params, options);
  }
  on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): () => void {
    return this.#parts.connection.on(event, listener);
  }
  onRaw(event: string, listener: (params: unknown) => void): () => void {
    return this.#parts.connection.onRaw(event, listener);
  }
  evaluate<T>(expression: string, options?: SendOptions): Promise<T> {
    return evaluateIn<T>(this.#parts.connection, expression, options);
  }
  workers(): Promise<readonly WorkerSession[]> {
    return this.#workers.list();
  }

  loopTurns(timeoutMs: number): Promise<boolean> {
    return loopTurns(this.#parts.connection, timeoutMs);
  }

  async withDebugger<T>(use: (debug: DebuggerConnection) => Promise<T>): Promise<T> {
    const wire = await this.#parts.dial();
    // Whoever asked may not have noticed yet that the run is over: nothing new begins then.
    if (this.#detached) {
      await wire.close();
      throw new LensError('target-lost', 'lens has left the target.');
    }
    const debug = new LiveDebugger(wire, this.target.pid);
    // Before it is enabled: enabling sends an event for each script, and detaching meanwhile must wait for them.
    const release = this.onDetach(() => debug.close());
    try {
      await debug.enable();
      return await use(debug);
    } finally {
      await release();
    }
  }

  onDetach(undo: () => Promise<void>): () => Promise<void> {
    let done: Promise<void> | undefined;
    const once = () => {
      this.#undos.delete(once);
      done ??= undo();
      return done;
    };
    this.#undos.add(once);
    return once;
  }

  /** `close` of the connection alone would leave lens' code and port behind. */
  async close(): Promise<void> {
    await this.detach();
  }

  detach(): Promise<Detached> {
    this.#detached ??= this.#detach();
    return this.#detached;
  }

  async #detach(): Promise<Detached> {
    const residue: string[] = [];
    const step = async (what: string, work: () => Promise<readonly string[]>) => {
      try {
        residue.push(...(await work()));
      } catch (error) {
        if (this.#parts.connection.isOpen) residue.push(`${what}: ${error instanceof Error ? error.message : error}`);
      }
    };
    for (const undo of [...this.#undos].reverse()) {
      await step('An observation could not be taken back', () => undo().then(() => []));
    }
    await step('Worker threads could not be left', () => this.#workers.leave());
    await step('The agent could not be taken back', () => this.agent.dispose(DETACH_STEP_MS));
    const inspectorClosed = this.openedInspector && (await this.#closeInspector());
    if (this.openedInspector && !inspectorClosed)
      residue.push(`The inspector at ${this.url} is still open${STILL_OPEN}`);
    await this.#parts.connection.close();
    await this.#parts.release();
    attached.delete(this);
    return { inspectorClosed, residue };
  }

  async #closeInspector(): Promise<boolean> {
    await endInspector(this.#parts.connection);
    return this.#parts.portClosed();
  }

  /** A program that ends waits for its debugger to leave, for as long as that takes: lens leaves at once. */
  #letEnd(): void {
    const { connection } = this.#parts;
    connection.onRaw('NodeRuntime.waitingForDisconnect', () => void this.#leaveEnding());
    // A Node without it (none from 18 to 26) would keep waiting until the run is over, as before.
    connection.sendRaw('NodeRuntime.notifyWhenWaitingForDisconnect', { enabled: true }).catch(() => undefined);
  }

  async #leaveEnding(): Promise<void> {
    this.#lose();
    await Promise.allSettled([...this.#undos].map(undo => undo()));
    await this.#parts.connection.close();
  }

  #lose(): void {
    this.agent.stop();
    if (this.#detached) return;
    const reason = new LensError('target-lost', `The target (pid ${this.target.pid}) or its inspector is gone.`);
    this.#lost.abort(reason);
  }
}
