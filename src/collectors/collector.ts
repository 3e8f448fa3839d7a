import type { Session } from '../inspector/session.js';
import type { EvidenceData, EvidenceKind, EvidenceParams } from '../model/evidence/index.js';

/**
 * free: no measurable effect; light: a few milliseconds or a few percent of cpu; pausing: stops the event loop in
 * proportion to the heap; heavy: seconds or memory in proportion to the heap (needs `--safety bold`).
 */
export type CostClass = 'free' | 'light' | 'pausing' | 'heavy';

/** What an estimate may rest on: the latest vitals and the machine. */
export interface CostBasis {
  readonly heapUsedBytes: number;
  readonly availableBytes: number;
}

export interface Reading<T> {
  readonly data: T;
  readonly partial?: string;
  /** Measured standstill of the event loop; when absent the guard's estimate is booked. */
  readonly pausedMs?: number;
  /** The longest of several standstills, where the reading causes more than one. */
  readonly longestPauseMs?: number;
}

export interface CollectContext {
  readonly signal: AbortSignal;
  /** Whoever asked has seen enough: a reading that lasts ends with what it has. */
  readonly stop?: AbortSignal;
  readonly now: () => number;
  /** Waits, and wakes early when aborted (then throws). */
  sleep(ms: number): Promise<void>;
  /**
   * Runs the part that disturbs the target while no other reading does: one disturbing reading at a time, of those that
   * wait the shortest first.
   */
  exclusively<T>(work: () => Promise<T>, seconds?: number): Promise<T>;
  /** True once a cause is known for sure: what only looks for others ends with its first quiet moment. */
  readonly causeKnown?: () => boolean;
  /** Requests a second that begin to wait for a cause which is known, by route and together: what they keep piles up. */
  readonly pilingRates?: () => readonly number[];
  /** Asks the guard before a dearer step within a reading (a forced collection, say): false means go without. */
  mayPause(estimateMs: number, what: string): boolean;
}

/** Session → one kind of evidence. Dull, short, no judgement; says what it costs. */
export interface Collector<K extends EvidenceKind = EvidenceKind> {
  readonly kind: K;
  /** For people: "CPU profile". */
  readonly title: string;
  readonly cost: CostClass;
  /** Pause and memory it will take from the target; absent for free and light readings. */
  estimate?(basis: CostBasis, params: EvidenceParams<K>): { readonly pauseMs: number; readonly memoryBytes: number };
  collect(session: Session, params: EvidenceParams<K>, context: CollectContext): Promise<Reading<EvidenceData<K>>>;
}
