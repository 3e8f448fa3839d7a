import type { WorkerSession } from './session.js';
import { type Attached, type Surroundings, WorkerThread, WorkerWire } from './worker-thread.js';

/** Long enough for the attachedToWorker events that follow the answer to NodeWorker.enable. */
const SETTLE_MS = 20;

/** The worker threads of a target, reached through the control connection (NodeWorker domain). */
export class WorkerSessions {
  readonly #around: Surroundings;
  readonly #workers = new Map<string, WorkerThread>();
  #enabled: Promise<void> | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  async list(): Promise<readonly WorkerSession[]> {
    this.#enabled ??= this.#enable();
    await this.#enabled;
    return [...this.#workers.values()];
  }

  /** Takes back what lens brought into the threads; returns what could not be. */
  async leave(): Promise<readonly string[]> {
    const left = await Promise.all([...this.#workers.values()].map(worker => worker.detach()));
    return left.flatMap(({ residue }) => residue);
  }

  async #enable(): Promise<void> {
    const { connection } = this.#around;
    connection.onRaw('NodeWorker.attachedToWorker', params => this.#attached(params as Attached));
    connection.onRaw('NodeWorker.detachedFromWorker', params => this.#detached((params as Attached).sessionId));
    connection.onRaw('NodeWorker.receivedMessageFromWorker', params => {
      const { sessionId, message } = params as { sessionId: string; message: string };
      this.#workers.get(sessionId)?.wire.listener?.message(message);
    });
    void connection.closed.then(() => [...this.#workers.keys()].forEach(id => void this.#detached(id)));
    await connection.sendRaw('NodeWorker.enable', { waitForDebuggerOnStart: false });
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
  }

  #attached({ sessionId, workerInfo }: Attached): void {
    const wire = new WorkerWire(this.#around.connection, sessionId);
    this.#workers.set(sessionId, new WorkerThread(wire, workerInfo, this.#around));
  }

  #detached(sessionId: string): void {
    const worker = this.#workers.get(sessionId);
    this.#workers.delete(sessionId);
    void worker?.wire.close();
  }
}
