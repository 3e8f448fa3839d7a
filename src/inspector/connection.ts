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

/** Answers on their way are waited for this long; a blocked target sends none, and then none is on its way. */
const QUIET_WITHIN_MS = 1_000;

/** Connections that are open right now: whoever ends lens early closes them first. */
const open = new Set<ProtocolConnection>();

/** Closes every connection in the order that is safe for the target; for lens' own sudden ends. */
export async function closeAllConnections(): Promise<void> {
  await Promise.all([...open].map(connection => connection.close()));
}

/** The inspector protocol over any wire. Every call settles: with its answer, after its time limit, or when the wire dies. */
export class ProtocolConnection implements Connection {
  #lastId = 0;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #wire: Wire;
  #open = true;
  #leaving: Promise<void> | undefined;
  /** Ids sent without anybody waiting for their answer. */
  readonly #posted = new Set<number>();
  /** Domains that may still send events. */
  readonly #enabled = new Set<string>();
  #onQuiet: (() => void) | undefined;
  /** Resolves once the wire is closed, by whichever side. */
  readonly closed: Promise<void>;
  /** Called after each message; the debugger's connection uses it to hurry the next one. */
  onTraffic: ((answeredId: number | undefined) => void) | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
    open.add(this);
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
    if (!this.#open || this.#leaving) return Promise.reject(connectionLost(method));
    return this.#call(method, params, options);
  }

  #call(method: string, params: object, options: SendOptions): Promise<unknown> {
    const [domain = '', command] = method.split('.');
    if (command === 'enable') this.#enabled.add(domain);
    if (command === 'disable') this.#enabled.delete(domain);
    const id = ++this.#lastId;
    const limitMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        this.#posted.add(id); // its answer may still come
        reject(new LensError('timeout', `The target gave no answer to ${method} within ${limitMs} ms.`));
      }, limitMs);
      this.#pending.set(id, { method, resolve, reject, timer });
      this.#wire.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Sends without waiting for the answer; returns its id. */
  post(method: string): number {
    const id = ++this.#lastId;
    if (!this.#open || this.#leaving) return id;
    this.#posted.add(id);
    this.#wire.send(JSON.stringify({ id, method }));
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

  /**
   * Every Node from 18 to 22 may crash (SIGSEGV in TcpHolder::WriteRaw) when an answer or event is on its way to a socket
   * that goes away. So nothing more is asked for, what is on its way is waited for, the domains that send events by
   * themselves are turned off, and only then the websocket is closed, by its handshake.
   */
  close(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  /** Turns off what sends events by itself and waits until nothing is on its way; bounded. The connection stays open. */
  async quieten(): Promise<void> {
    if (this.#open) await this.#disableAll();
    if (this.#open) await this.#quiet();
  }

  async #leave(): Promise<void> {
    this.onTraffic = undefined;
    await this.quieten();
    await this.#wire.close();
    this.#fail();
    await this.closed;
  }

  async #disableAll(): Promise<void> {
    const calls = [...this.#enabled].map(domain => this.#call(`${domain}.disable`, {}, { timeoutMs: QUIET_WITHIN_MS }));
    await Promise.allSettled(calls); // lost, or blocked
  }

  /** Resolves once nothing is on its way any more, or after a second. */
  #quiet(): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, QUIET_WITHIN_MS);
      this.#onQuiet = () => {
        if (this.#open && this.#pending.size + this.#posted.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onQuiet();
    });
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Message;
    if (message.id !== undefined) this.#settle(message.id, message);
    else if (message.method !== undefined) this.#dispatch(message.method, message.params);
    this.onTraffic?.(message.id);
    this.#onQuiet?.();
  }

  #settle(id: number, message: Message): void {
    this.#posted.delete(id);
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
    open.delete(this);
    this.#onQuiet?.();
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
