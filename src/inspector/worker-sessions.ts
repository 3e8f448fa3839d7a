import { ProtocolConnection } from './connection.js';
import { evaluateIn } from './evaluate.js';
import type { SendOptions, WorkerSession } from './session.js';
import type { Wire, WireListener } from './wire.js';

interface Attached {
  readonly sessionId: string;
  readonly workerInfo: { readonly workerId: string; readonly title: string; readonly url: string };
}

/** Long enough for the attachedToWorker events that follow the answer to NodeWorker.enable. */
const SETTLE_MS = 20;

/** The worker threads of a target, reached through the control connection (NodeWorker domain). */
export class WorkerSessions {
  readonly #main: ProtocolConnection;
  readonly #workers = new Map<string, WorkerConnection>();
  #enabled: Promise<void> | undefined;

  constructor(main: ProtocolConnection) {
    this.#main = main;
  }

  async list(): Promise<readonly WorkerSession[]> {
    this.#enabled ??= this.#enable();
    await this.#enabled;
    return [...this.#workers.values()];
  }

  async #enable(): Promise<void> {
    this.#main.onRaw('NodeWorker.attachedToWorker', params => this.#attached(params as Attached));
    this.#main.onRaw('NodeWorker.detachedFromWorker', params => this.#detached((params as Attached).sessionId));
    this.#main.onRaw('NodeWorker.receivedMessageFromWorker', params => {
      const { sessionId, message } = params as { sessionId: string; message: string };
      this.#workers.get(sessionId)?.wire.listener?.message(message);
    });
    void this.#main.closed.then(() => [...this.#workers.keys()].forEach(id => void this.#detached(id)));
    await this.#main.sendRaw('NodeWorker.enable', { waitForDebuggerOnStart: false });
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
  }

  #attached({ sessionId, workerInfo }: Attached): void {
    this.#workers.set(sessionId, new WorkerConnection(new WorkerWire(this.#main, sessionId), workerInfo));
  }

  #detached(sessionId: string): void {
    const worker = this.#workers.get(sessionId);
    this.#workers.delete(sessionId);
    worker?.wire.close();
  }
}

/** Protocol messages packed into the main thread's connection. */
class WorkerWire implements Wire {
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
  close(): void {
    const { listener } = this;
    this.listener = undefined;
    listener?.closed();
  }
  listen(listener: WireListener): void {
    this.listener = listener;
  }
}

class WorkerConnection extends ProtocolConnection implements WorkerSession {
  readonly workerId: string;
  readonly title: string;
  readonly url: string;

  constructor(
    readonly wire: WorkerWire,
    info: Attached['workerInfo'],
  ) {
    super(wire);
    this.workerId = info.workerId;
    this.title = info.title;
    this.url = info.url;
  }

  evaluate<T>(expression: string, options?: SendOptions): Promise<T> {
    return evaluateIn<T>(this, expression, options);
  }
}
