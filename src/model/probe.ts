import type { EvidenceKind, EvidenceOf, EvidenceParams } from './evidence/index.js';

/**
 * The one door from thinking back to the target. It never rejects for the target's sake: a reading that the guard
 * refuses or that fails comes back with status `refused` or `unavailable` and a reason.
 */
export interface Probe {
  ask<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, options?: AskOptions): Promise<EvidenceOf<K>>;
}

export interface AskOptions {
  /** An answer at most this old with the same params is reused, in milliseconds. Default 2000; 0 asks anew. */
  readonly freshMs?: number;
  /** Ends a reading that lasts before its time; what it has seen by then is the answer. */
  readonly stop?: AbortSignal;
  /** A person asks for this very reading: it is taken while the investigation is paused as well. */
  readonly byHand?: boolean;
}

/** Any reading can be taken of a worker thread instead of the main one: these params come on top of its own. */
export interface ThreadParams {
  /** The inspector's id of a worker thread, as the reading `workers` lists it. */
  readonly thread?: string;
}
