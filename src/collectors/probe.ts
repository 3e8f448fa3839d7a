import type { Gate } from '../base/gate.js';
import { Lock } from '../base/lock.js';
import type { Session } from '../inspector/session.js';
import { LensError } from '../model/error.js';
import type { EventBody } from '../model/event.js';
import type { Evidence, EvidenceData, EvidenceKind, EvidenceOf, EvidenceParams } from '../model/evidence/index.js';
import type { Json } from '../model/json.js';
import type { AskOptions, Probe, ThreadParams } from '../model/probe.js';
import type { CollectContext, Collector, CostBasis, Reading } from './collector.js';
import type { Guard } from './guard.js';

/** An answer this young is as good as a new one: shorter than any window that a skill compares. */
const FRESH_MS = 2_000;
/** Reading the sources of what a profile shows takes 60 to 200 ms; then its next question is there. */
const BREATH_MS = 100;
/** Taken one by one: while lens itself computes none of them passes. */
const BREATHS = 4;

export interface ProbeEnv {
  readonly session: Session;
  readonly collectors: ReadonlyMap<EvidenceKind, Collector>;
  readonly guard: Guard;
  /** What the estimates rest on, read when it is needed; for a heavy reading of a worker thread that thread's heap. */
  readonly basis: (thread?: string) => Promise<CostBasis>;
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly emit: (event: EventBody) => void;
  /** Keeps the reading; returns where, when it was too large for the event. */
  readonly keep: (evidence: Evidence, params: Json) => { readonly data?: Json; readonly path?: string };
  /** Asks a person about a reading that the guard refuses: true takes it all the same. */
  readonly consent?: (title: string, refusal: string) => Promise<boolean>;
  /** Holds every reading back while the investigation is paused; absent: it never is. */
  readonly gate?: Pick<Gate, 'pass'>;
  /** True once the run has found a cause and is not sure to look for more; absent: never. */
  readonly causeKnown?: () => boolean;
  readonly pilingRates?: () => readonly number[];
  /** CPU milliseconds the target has used so far, from outside; undefined where it can't be read. */
  readonly cpuMs: () => number | undefined;
}

interface Remembered {
  readonly at: number;
  readonly answer: Promise<Evidence>;
}

/**
 * The guarded door to the target: shares a reading among those who ask at once, reuses a fresh answer, lets one
 * disturbing reading through at a time, and turns every refusal or failure into evidence that says so.
 */
export function guardedProbe(env: ProbeEnv): Probe {
  const lock = new Lock(breathe);
  const remembered = new Map<string, Remembered>();

  return {
    ask<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, options: AskOptions = {}): Promise<EvidenceOf<K>> {
      const key = `${kind} ${JSON.stringify(params)}`;
      const known = remembered.get(key);
      if (known && isFresh(known, options.freshMs ?? FRESH_MS)) return known.answer as Promise<EvidenceOf<K>>;
      const entry: { at: number; answer: Promise<Evidence> } = {
        at: Number.POSITIVE_INFINITY,
        answer: take(kind, params, options),
      };
      remembered.set(key, entry);
      const settled = () => {
        entry.at = env.now();
      };
      entry.answer.then(settled, settled);
      return entry.answer as Promise<EvidenceOf<K>>;
    },
  };

  async function breathe(): Promise<void> {
    for (let breath = 0; breath < BREATHS; breath++) await env.sleep(BREATH_MS);
  }

  /** With 0 only what is still under way is shared: the next window of whoever asks on at once is another one. */
  function isFresh(entry: Remembered, freshMs: number): boolean {
    return entry.at === Number.POSITIVE_INFINITY || env.now() - entry.at < freshMs;
  }

  async function take<K extends EvidenceKind>(
    kind: K,
    params: EvidenceParams<K>,
    { stop, byHand = false }: AskOptions,
  ): Promise<Evidence> {
    const pass = async () => (byHand ? undefined : env.gate?.pass());
    await pass();
    const collector = env.collectors.get(kind) as Collector<K> | undefined;
    const startedAt = env.now();
    if (!collector) return book(kind, params, startedAt, absent('unavailable', 'This build has no such reading.'));
    env.emit({ type: 'evidence.asked', kind, params: params as Json });
    const refusal = await refusalOf(collector, params);
    if (refusal) return book(kind, params, startedAt, absent('refused', refusal));
    const before = env.cpuMs();
    try {
      const { session, own } = await threadOf(env.session, params);
      const reading = await collector.collect(session, own, context(pass, stop));
      const pausedMs = reading.pausedMs ?? (await estimated(collector, params));
      return book(kind, params, startedAt, present(reading, pausedMs, cost(collector, before, pausedMs)));
    } catch (error) {
      if (env.signal.aborted) throw env.signal.reason;
      return book(kind, params, startedAt, absent('unavailable', sentence(error)));
    }
  }

  async function refusalOf<K extends EvidenceKind>(collector: Collector<K>, params: EvidenceParams<K>) {
    if (env.session.lost.aborted) return undefined;
    if (collector.cost === 'free' || collector.cost === 'light') return undefined;
    // A thread that stands still is asked nothing more than it must be.
    const { thread } = collector.cost === 'heavy' ? (params as ThreadParams) : {};
    const refusal = env.guard.refusal(collector, await env.basis(thread), params);
    if (refusal === undefined || !env.consent) return refusal;
    return (await lock.run(() => env.consent?.(collector.title, refusal) ?? Promise.resolve(false)))
      ? undefined
      : refusal;
  }

  async function estimated<K extends EvidenceKind>(
    collector: Collector<K>,
    params: EvidenceParams<K>,
  ): Promise<number> {
    return collector.estimate ? collector.estimate(await env.basis(), params).pauseMs : 0;
  }

  /** A window's cpu is mostly the target's own work: only short, disturbing readings are charged by the clock. */
  function cost(collector: Collector, before: number | undefined, pausedMs: number): number {
    const after = env.cpuMs();
    if (before === undefined || after === undefined || collector.cost === 'free' || collector.cost === 'light')
      return pausedMs;
    return Math.min(after - before, Math.max(pausedMs, 0));
  }

  function book(kind: string, params: object, startedAt: number, outcome: Outcome): Evidence {
    const evidence: Evidence = { id: env.newId(kind), kind, takenAt: startedAt, ...outcome };
    const kept = env.keep(evidence, params as Json);
    env.emit({
      type: 'evidence.collected',
      id: evidence.id,
      kind,
      params: params as Json,
      status: evidence.status,
      ...(evidence.reason === undefined ? {} : { reason: evidence.reason }),
      pausedMs: evidence.pausedMs,
      ...(evidence.longestPauseMs === undefined ? {} : { longestPauseMs: evidence.longestPauseMs }),
      costMs: evidence.costMs,
      tookMs: env.now() - startedAt,
      ...kept,
    });
    return evidence;
  }

  function context(pass: () => Promise<void>, stop?: AbortSignal): CollectContext {
    return {
      signal: env.signal,
      ...(stop && { stop }),
      now: env.now,
      sleep: env.sleep,
      exclusively: (work, seconds) =>
        lock.run(async () => {
          await pass();
          return work();
        }, seconds),
      ...(env.causeKnown && { causeKnown: env.causeKnown }),
      ...(env.pilingRates && { pilingRates: env.pilingRates }),
      mayPause: estimateMs => env.guard.mayPause(estimateMs),
    };
  }
}

/** The worker thread that a reading names, and its params without that name. */
async function threadOf<P extends object>(main: Session, params: P): Promise<{ session: Session; own: P }> {
  const { thread, ...own } = params as P & ThreadParams;
  if (thread === undefined) return { session: main, own: params };
  const session = (await main.workers()).find(({ workerId }) => workerId === thread);
  if (!session) throw new LensError('target-lost', `Worker thread ${thread} has ended.`);
  return { session, own: own as unknown as P }; // P without the one name that is not its own
}

type Outcome = Omit<Evidence, 'id' | 'kind' | 'takenAt'>;

function present(reading: Reading<EvidenceData<EvidenceKind>>, pausedMs: number, costMs: number): Outcome {
  const status = reading.partial === undefined ? 'ok' : 'partial';
  const why = reading.partial === undefined ? {} : { reason: reading.partial };
  const { longestPauseMs } = reading;
  const longest = longestPauseMs === undefined ? {} : { longestPauseMs };
  return { status, ...why, data: reading.data, pausedMs, ...longest, costMs };
}

function absent(status: 'unavailable' | 'refused', reason: string): Outcome {
  return { status, reason, data: undefined, pausedMs: 0, costMs: 0 };
}

function sentence(error: unknown): string {
  if (error instanceof LensError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
