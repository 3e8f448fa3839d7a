import type { Protocol } from 'devtools-protocol';
import type { ProtocolMapping } from 'devtools-protocol/types/protocol-mapping.js';
import type { Json } from '../model/json.js';
import type { Detached } from '../model/report.js';
import type { TargetInfo } from '../model/target.js';

type Commands = ProtocolMapping.Commands;
type Events = ProtocolMapping.Events;

export interface SendOptions {
  /** Rejects with LensError `timeout` after this long, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** One websocket to the target's inspector. Every pending call rejects with `target-lost` when the wire dies. */
export interface Connection {
  send<M extends keyof Commands>(
    method: M,
    ...rest: [...Commands[M]['paramsType'], SendOptions?]
  ): Promise<Commands[M]['returnType']>;
  /** Domains that the typed protocol lacks: NodeWorker, NodeTracing, NodeRuntime. */
  sendRaw(method: string, params?: object, options?: SendOptions): Promise<unknown>;
  on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): () => void;
  onRaw(event: string, listener: (params: unknown) => void): () => void;
  close(): Promise<void>;
}

/**
 * Code of lens that lives in the target under one symbol, with a lease: if lens stops renewing it, the target itself
 * disposes every part and closes the inspector that lens opened.
 */
export interface AgentHost {
  /** Installs dist/agents/NAME.js once; its default export is called as `(host, options) => part`. */
  install(name: string, options?: Json): Promise<void>;
  /** Calls a method of an installed part with JSON arguments and gets its JSON answer (promises are not awaited). */
  call<T>(name: string, method: string, args?: readonly Json[], options?: SendOptions): Promise<T>;
  /** Calls the part's `dispose()` and forgets it. Safe to call twice. */
  remove(name: string): Promise<void>;
}

/** The control session: Debugger is never enabled on it, so that a round trip stays under a millisecond. */
export interface Session extends Connection {
  readonly target: TargetInfo;
  /** True when lens sent the signal that opened the inspector, and so must close it. */
  readonly openedInspector: boolean;
  /** Aborted once the target or its inspector is gone; `reason` is a LensError `target-lost`. */
  readonly lost: AbortSignal;
  readonly agent: AgentHost;
  /** Evaluates in the target: silent, breaks disabled, `require` available, result by value. Throws LensError. */
  evaluate<T>(expression: string, options?: SendOptions): Promise<T>;
  /** The main thread's websocket address. */
  readonly url: string;
  /** The target's worker threads, each with a connection of its own through the main thread's. */
  workers(): Promise<readonly WorkerSession[]>;
  /** A second connection with Debugger enabled and all pauses resumed at once; closed by its owner. */
  withDebugger<T>(use: (debug: DebuggerConnection) => Promise<T>): Promise<T>;
  /** Runs on the event loop (setImmediate) within `timeoutMs`: false means that the loop is blocked. */
  loopTurns(timeoutMs: number): Promise<boolean>;
  /** Something to take back at detach, newest first. Returns a function that takes it back now. */
  onDetach(undo: () => Promise<void>): () => Promise<void>;
  /** Idempotent. Removes what lens brought, closes the inspector only if lens opened it. */
  detach(): Promise<Detached>;
}

export interface DebuggerConnection extends Connection {
  /** scriptId to url, sourceMapURL of every script the target has parsed. */
  readonly scripts: ReadonlyMap<string, { readonly url: string; readonly sourceMapUrl?: string }>;
  /** What Debugger.enable stopped the target for, in milliseconds (estimated by its round trip). */
  readonly pausedMs: number;
  /**
   * Stops the main thread at its next statement, lets `look` read the stack, and resumes at once, whatever `look` does.
   * Undefined when nothing ran within `timeoutMs`. `pausedMs` is the standstill.
   */
  pause<T>(
    look: (paused: Protocol.Debugger.PausedEvent) => Promise<T>,
    timeoutMs: number,
  ): Promise<{ readonly value: T; readonly pausedMs: number } | undefined>;
}

/**
 * A worker thread of the target: what reads the main thread reads it too. Its debugger shares the control connection
 * and never pauses; it is left together with the main thread.
 */
export interface WorkerSession extends Session {
  readonly workerId: string;
  /** "[worker 1] name", as the inspector titles it. */
  readonly title: string;
  /** The thread's script. */
  readonly url: string;
}
