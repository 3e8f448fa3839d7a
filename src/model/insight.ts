import type { FaultClass } from './fault.js';
import type { CodeLocation } from './location.js';
import type { Severity } from './severity.js';

/** A conclusion of the coordinator: one cause with everything that supports it. */
export interface Insight {
  readonly id: string;
  readonly rank: number;
  readonly title: string;
  readonly faultClass: FaultClass;
  readonly severity: Severity;
  readonly confidence: 'high' | 'medium' | 'low';
  readonly correlation: 'temporal' | 'causal' | 'symptomatic';
  readonly summary: string;
  readonly matchedObservations: readonly string[];
  readonly grounded: boolean;
  readonly rootCause?: string;
  readonly culprit?: CodeLocation;
  readonly related?: readonly CodeLocation[];
  readonly fix?: string;
  readonly notificationIds: readonly string[];
  readonly evidenceIds: readonly string[];
  /** What verification in code found wanting, a sentence each; absent when everything held. */
  readonly marks?: readonly string[];
}
