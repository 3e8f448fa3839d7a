import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type {
  Aggregates,
  ArenaParts,
  BesideDominators,
  Claim,
  EdgePart,
  Facts,
  HeapFile,
  SecondThread,
  SharedEdges,
  SumsRequest,
  Tables,
} from '../../heap/index.js';

export interface EdgesRequest extends SharedEdges {
  readonly path: string;
}

/** A file on its way: an arena's parts can be sent. */
type SentFile = Omit<HeapFile, 'arena'> & { readonly arena: ArenaParts };

/** What the second thread is asked; it answers in order, with undefined where it could not do it. */
export type SecondRequest =
  | { readonly kind: 'edges'; readonly request: EdgesRequest }
  | { readonly kind: 'analysis'; readonly file: SentFile; readonly facts: Facts; readonly distances: Claim }
  | { readonly kind: 'beside' }
  | { readonly kind: 'sums'; readonly request: SumsRequest }
  | { readonly kind: 'tables' };

export interface SecondStart {
  readonly port: MessagePort;
  /** Counts the answers. */
  readonly answered: Int32Array;
}

const NO_THROW = { throwIfNoEntry: false } as const;
/** A thread takes 30 ms to start, on whatever core is free; smaller files are read and analysed by one in little more. */
const WORTH_BYTES = 32 * 2 ** 20;
/** A thread that says nothing for so long has died without a word: its part is done by the first one, then. */
const PATIENCE_MS = 300_000;

/** A second thread that shares the columns; the first one waits for it without turning its own loop. */
export class SecondCore implements SecondThread {
  private readonly port: MessagePort;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;
  private asked = 0;
  private taken = 0;
  private isLost = false;

  private constructor(script: URL) {
    const { port1, port2 } = new MessageChannel();
    const start: SecondStart = { port: port2, answered: this.answered };
    this.port = port1;
    this.worker = new Worker(script, { workerData: start, transferList: [port2] });
    this.worker.on('error', () => {}); // told by its silence
  }

  /** For this file; undefined where it is not worth it, where there is one core, or from sources. */
  static start(path: string): SecondCore | undefined {
    const script = new URL('./heap-second.cjs', import.meta.url);
    const bytes = statSync(path, NO_THROW)?.size ?? 0;
    const isWorth = bytes >= WORTH_BYTES && availableParallelism() > 1 && existsSync(script);
    return isWorth ? new SecondCore(script) : undefined;
  }

  beginEdges(request: EdgesRequest): void {
    this.ask({ kind: 'edges', request });
  }

  /** What it has read from the front. */
  endEdges(): EdgePart | undefined {
    return this.answer() as EdgePart | undefined; // heap-second.cjs answers 'edges' so
  }

  begin(file: HeapFile, facts: Facts, distances: Claim): void {
    const { memory, module } = file.arena;
    this.ask({ kind: 'analysis', file: { ...file, arena: { memory, module } }, facts, distances });
    this.ask({ kind: 'beside' });
  }

  endSizes(): Map<number, number> | undefined {
    return this.answer() as Map<number, number> | undefined; // heap-second.cjs answers 'analysis' so
  }

  end(): BesideDominators | undefined {
    return this.answer() as BesideDominators | undefined; // heap-second.cjs answers 'beside' so
  }

  beginSums(request: SumsRequest): void {
    this.ask({ kind: 'sums', request });
  }

  endSums(): Aggregates | undefined {
    return this.answer() as Aggregates | undefined; // heap-second.cjs answers 'sums' so
  }

  beginTables(): void {
    this.ask({ kind: 'tables' });
  }

  endTables(): Tables | undefined {
    return this.answer() as Tables | undefined; // heap-second.cjs answers 'tables' so
  }

  /** Waits until it is through with all that it was asked, and closes it: nobody else uses the memory then. */
  finish(): void {
    while (this.taken < this.asked && !this.isLost) this.answer();
    this.close();
  }

  close(): void {
    this.port.close();
    void this.worker.terminate();
  }

  private ask(request: SecondRequest): void {
    this.asked++;
    this.port.postMessage(request);
  }

  private answer(): unknown {
    if (this.isLost) return undefined;
    Atomics.wait(this.answered, 0, this.taken, PATIENCE_MS);
    this.isLost = Atomics.load(this.answered, 0) === this.taken;
    if (this.isLost) this.close();
    this.taken++;
    return receiveMessageOnPort(this.port)?.message;
  }
}
