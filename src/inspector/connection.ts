import type { ProtocolMapping } from 'devtools-protocol/types/protocol-mapping.js';
import { LensError } from '../model/error.js';
import type { Connection, SendOptions } from './session.js';
import type { Wire } from './wire.js';

type Commands = ProtocolMapping.Commands;
type Events = ProtocolMapping.Events;
type Listener = (params: unknown) => void;

const DEFAULT_TIMEOUT_MS = 10_000;

interface Pending {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: LensError) => void;
  readonly timer: NodeJS.Timeout;
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly code: number };
  readonly method?: string;
  readonly params?: unknown;
}

/** The inspector protocol over any wire. Every call settles: with its answer, after its time limit, or when the wire dies. */
export class ProtocolConnection implements Connection {
  #lastId = 0;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #wire: Wire;
  #open = true;
  /** Resolves once the wire is closed, by whichever side. */
  readonly closed: Promise<void>;
  /** Called after each message; the debugger's connection uses it to hurry the next one. */
  onTraffic: ((answeredId: number | undefined) => void) | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.closed = new Promise(resolve => {
      wire.listen({
        message: text => this.#receive(text),
        closed: () => {
          this.#fail();
          resolve();
        },
      });
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** True while a call waits for its answer. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  send<M extends keyof Commands>(
    method: M,
    ...rest: [...Commands[M]['paramsType'], SendOptions?]
  ): Promise<Commands[M]['returnType']> {
    const [params, options] = splitArguments(rest);
    // The typed protocol names what the untyped one carries.
    return this.sendRaw(method, params, options) as Promise<Commands[M]['returnType']>;
  }

  sendRaw(method: string, params: object = {}, options: SendOptions = {}): Promise<unknown> {
    if (!this.#open) return Promise.reject(connectionLost(method));
    const id = ++this.#lastId;
    const limitMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new LensError('timeout', `The target gave no answer to ${method} within ${limitMs} ms.`));
      }, limitMs);
      this.#pending.set(id, { method, resolve, reject, timer });
      this.#wire.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Sends without waiting for the answer; returns its id. */
  post(method: string): number {
    const id = ++this.#lastId;
    if (this.#open) this.#wire.send(JSON.stringify({ id, method }));
    return id;
  }

  on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): () => void {
    // Every event of the protocol carries one object or nothing.
    return this.onRaw(event, listener as Listener);
  }

  onRaw(event: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(event) ?? new Set<Listener>();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#wire.close();
    this.#fail();
    await this.closed;
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Message;
    if (message.id !== undefined) this.#settle(message.id, message);
    else if (message.method !== undefined) this.#dispatch(message.method, message.params);
    this.onTraffic?.(message.id);
  }

  #settle(id: number, message: Message): void {
    const call = this.#pending.get(id);
    if (!call) return;
    this.#pending.delete(id);
    clearTimeout(call.timer);
    if (message.error) call.reject(new LensError('protocol', `${call.method}: ${message.error.message}`));
    else call.resolve(message.result);
  }

  #dispatch(event: string, params: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(params);
  }

  #fail(): void {
    this.#open = false;
    for (const call of this.#pending.values()) {
      clearTimeout(call.timer);
      call.reject(connectionLost(call.method));
    }
    this.#pending.clear();
  }
}

/** `[params?, options?]`; a call without parameters may carry its options alone. */
function splitArguments(rest: readonly unknown[]): [object | undefined, SendOptions | undefined] {
  const [first, second] = rest as readonly (object | undefined)[];
  const isOptions = second === undefined && first !== undefined && Object.keys(first).join() === 'timeoutMs';
  return isOptions ? [undefined, first as SendOptions] : [first, second as SendOptions | undefined];
}

function connectionLost(method: string): LensError {
  return new LensError('target-lost', `The connection to the target ended before ${method} was answered.`);
}
