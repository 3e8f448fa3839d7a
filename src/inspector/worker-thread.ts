import type { Protocol } from 'devtools-protocol';
import { LensError } from '../model/error.js';
import type { Json } from '../model/json.js';
import type { Detached } from '../model/report.js';
import type { TargetInfo } from '../model/target.js';
import { LeasedAgentHost } from './agent-host.js';
import { ProtocolConnection } from './connection.js';
import { evaluateIn, loopTurns } from './evaluate.js';
import type { AgentHost, DebuggerConnection, SendOptions, WorkerSession } from './session.js';
import type { Wire, WireListener } from './wire.js';

/** What `NodeWorker.attachedToWorker` says of a thread. */
export interface Attached {
  readonly sessionId: string;
  readonly workerInfo: { readonly workerId: string; readonly title: string; readonly url: string };
}

/** What a thread shares with the main one. */
export interface Surroundings {
  readonly connection: ProtocolConnection;
  readonly target: () => TargetInfo;
  readonly lost: AbortSignal;
}

/** Protocol messages packed into the main thread's connection. */
export class WorkerWire implements Wire {
  listener: WireListener | undefined;

  constructor(
    private readonly main: ProtocolConnection,
    private readonly sessionId: string,
  ) {}

  send(message: string): void {
    this.main
      .sendRaw('NodeWorker.sendMessageToWorker', { message, sessionId: this.sessionId })
      .catch(() => this.close());
  }
  close(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    listener?.closed();
    return Promise.resolve();
  }
  listen(listener: WireListener): void {
    this.listener = listener;
  }
}

/** A worker thread as a session of its own: whatever reads the main thread can read it. */
export class WorkerThread extends ProtocolConnection implements WorkerSession {
  readonly workerId: string;
  readonly title: string;
  readonly url: string;
  readonly openedInspector = false;
  readonly lost: AbortSignal;
  readonly agent: LateAgentHost;
  readonly #target: () => TargetInfo;
  readonly #undos = new Set<() => Promise<void>>();
  #debugging = 0;
  #debugger: Promise<DebuggerConnection> | undefined;

  constructor(
    readonly wire: WorkerWire,
    info: Attached['workerInfo'],
    { target, lost }: Surroundings,
  ) {
    super(wire);
    this.workerId = info.workerId;
    this.title = info.title;
    this.url = info.url;
    this.#target = target;
    this.agent = new LateAgentHost(this);
    const ended = new AbortController();
    void this.closed.then(() => {
      this.agent.stop();
      ended.abort(new LensError('target-lost', `The worker thread ${info.title} has ended.`));
    });
    this.lost = AbortSignal.any([lost, ended.signal]);
  }

  get target(): TargetInfo {
    return this.#target();
  }
  evaluate<T>(expression: string, options?: SendOptions): Promise<T> {
    return evaluateIn<T>(this, expression, options);
  }
  workers(): Promise<readonly WorkerSession[]> {
    return Promise.resolve([]);
  }
  async loopTurns(timeoutMs: number): Promise<boolean> {
    await this.agent.enter();
    return loopTurns(this, timeoutMs);
  }

  /** On the same wire: a thread has one. Those who debug at once share it. */
  async withDebugger<T>(use: (debug: DebuggerConnection) => Promise<T>): Promise<T> {
    this.#debugging += 1;
    this.#debugger ??= debugThread(this);
    try {
      return await use(await this.#debugger);
    } finally {
      this.#debugging -= 1;
      if (this.#debugging === 0) {
        this.#debugger = undefined;
        await this.sendRaw('Debugger.disable').catch(() => undefined); // a thread that ended debugs nothing
      }
    }
  }

  onDetach(undo: () => Promise<void>): () => Promise<void> {
    const once = () => (this.#undos.delete(once) ? undo() : Promise.resolve());
    this.#undos.add(once);
    return once;
  }

  async detach(): Promise<Detached> {
    for (const undo of [...this.#undos].reverse()) await undo().catch(() => undefined); // the lease does the rest
    const residue = this.isOpen ? await this.agent.dispose() : [];
    return { inspectorClosed: false, residue };
  }
}

/** What is read while the thread stands still is read within this, or not at all. */
const LOOK_TIMEOUT_MS = 500;

/** Debugger on a thread's own wire, every pause skipped but the one that is asked for: it stops this thread alone. */
async function debugThread(thread: WorkerThread): Promise<DebuggerConnection> {
  const scripts = new Map<string, { url: string; sourceMapUrl?: string }>();
  thread.on('Debugger.scriptParsed', ({ scriptId, url, sourceMapURL }) => {
    scripts.set(scriptId, sourceMapURL ? { url, sourceMapUrl: sourceMapURL } : { url });
  });
  const startedAt = performance.now();
  const skip = (yes: boolean) => thread.send('Debugger.setSkipAllPauses', { skip: yes });
  // In one breath: nothing can pause between enabling and skipping. A version may refuse the first.
  await Promise.all([skip(true).catch(() => undefined), thread.send('Debugger.enable', {}), skip(true)]);
  return {
    scripts,
    pausedMs: performance.now() - startedAt,
    send: thread.send.bind(thread),
    sendRaw: thread.sendRaw.bind(thread),
    on: thread.on.bind(thread),
    onRaw: thread.onRaw.bind(thread),
    close: () => Promise.resolve(),
    async pause(look, timeoutMs) {
      await skip(false);
      const next = nextPause(thread, timeoutMs);
      try {
        await thread.send('Debugger.pause', { timeoutMs });
        const event = await next.event;
        if (!event) return undefined;
        const pausedAt = performance.now();
        const value = await within(LOOK_TIMEOUT_MS, look(event));
        await thread.send('Debugger.resume').catch(() => undefined); // resumed already, or the thread has ended
        return value === undefined ? undefined : { value, pausedMs: performance.now() - pausedAt };
      } finally {
        await skip(true).catch(() => undefined); // ended: nothing is left to skip
        next.stop();
      }
    },
  };
}

/** The next stop of the thread; undefined after `timeoutMs`. One that comes later is resumed at once, until `stop`. */
function nextPause(
  thread: WorkerThread,
  timeoutMs: number,
): { readonly event: Promise<Protocol.Debugger.PausedEvent | undefined>; stop(): void } {
  let late = false;
  let stop = (): void => {};
  const event = new Promise<Protocol.Debugger.PausedEvent | undefined>(resolve => {
    const timer = setTimeout(() => {
      late = true;
      resolve(undefined);
    }, timeoutMs);
    const off = thread.on('Debugger.paused', paused => {
      if (late)
        void thread.send('Debugger.resume').catch(() => undefined); // resumed already, or the thread has ended
      else resolve(paused);
    });
    stop = () => {
      clearTimeout(timer);
      off();
    };
  });
  return { event, stop };
}

function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const limit = new Promise<undefined>(resolve => setTimeout(resolve, ms, undefined).unref());
  return Promise.race([promise.catch(() => undefined), limit]);
}

const DISPOSE_MS = 1_000;

/** An agent host that enters the thread only when the first part does. */
class LateAgentHost implements AgentHost {
  readonly #thread: WorkerThread;
  #host: Promise<LeasedAgentHost> | undefined;

  constructor(thread: WorkerThread) {
    this.#thread = thread;
  }

  /** Brings the host in, which those who look at the thread's queues call directly. */
  enter(): Promise<LeasedAgentHost> {
    this.#host ??= LeasedAgentHost.start(this.#thread, { opened: false }).then(({ agent }) => agent);
    this.#host.catch(() => {
      this.#host = undefined;
    });
    return this.#host;
  }

  async install(name: string, options?: Json): Promise<void> {
    await (await this.enter()).install(name, options);
  }

  async call<T>(name: string, method: string, args?: readonly Json[], options?: SendOptions): Promise<T> {
    if (!this.#host) throw new LensError('protocol', `No agent "${name}" is installed in ${this.#thread.title}.`);
    return (await this.#host).call<T>(name, method, args, options);
  }

  async remove(name: string): Promise<void> {
    await (await this.#host)?.remove(name);
  }

  async dispose(): Promise<readonly string[]> {
    return (await (await this.#host?.catch(() => undefined))?.dispose(DISPOSE_MS)) ?? [];
  }

  stop(): void {
    this.#host?.then(host => host.stop()).catch(() => undefined); // never started
  }
}
