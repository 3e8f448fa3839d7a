import type { EvidenceKinds } from './kinds.js';

export type { EvidenceKinds } from './kinds.js';
export type EvidenceKind = keyof EvidenceKinds;
export type EvidenceParams<K extends EvidenceKind> = EvidenceKinds[K]['params'];
export type EvidenceData<K extends EvidenceKind> = EvidenceKinds[K]['data'];

export type EvidenceStatus = 'ok' | 'partial' | 'unavailable' | 'refused';

/** One reading of the target. `data` is meaningful only while `status` is `ok` or `partial`. */
export interface Evidence<T = unknown> {
  readonly id: string;
  readonly kind: string;
  readonly takenAt: number;
  /** How long the target's event loop stood still for this reading, in milliseconds; measured or, failing that, estimated. */
  readonly pausedMs: number;
  /** The longest of several standstills, where the reading causes more than one. */
  readonly longestPauseMs?: number;
  /** CPU time the reading took from the target, in milliseconds. */
  readonly costMs: number;
  readonly status: EvidenceStatus;
  readonly reason?: string;
  readonly data: T;
  readonly file?: { readonly path: string; readonly bytes: number; readonly sha256: string };
}

export type EvidenceOf<K extends EvidenceKind> = Evidence<EvidenceData<K>>;

/** A reading whose data may be used. A type of its own, so that the other branch keeps `reason`. */
export type UsableEvidence<T = unknown> = Evidence<T> & { readonly status: 'ok' | 'partial' };

export function isUsable<T>(evidence: Evidence<T> | undefined): evidence is UsableEvidence<T> {
  return evidence !== undefined && (evidence.status === 'ok' || evidence.status === 'partial');
}
