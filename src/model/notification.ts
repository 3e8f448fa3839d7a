import type { FaultClass } from './fault.js';
import type { CodeLocation } from './location.js';
import type { Severity } from './severity.js';

export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
}

/** What an operator noticed. `context` and `observation` are facts; a guess belongs in `hypothesis`. */
export interface Notification {
  readonly id: string;
  readonly operator: string;
  readonly anomalyType: string;
  readonly faultClass: FaultClass;
  readonly severity: Severity;
  readonly context: string;
  readonly observation: string;
  readonly hypothesis?: string;
  /** The sentence that names the cause in plain words; the first line of a report when this ranks first. */
  readonly title?: string;
  readonly culprit?: CodeLocation;
  /** Other places that belong to the cause: who feeds the holder, who calls the blocker. */
  readonly related?: readonly CodeLocation[];
  readonly fix?: string;
  readonly metrics: readonly Metric[];
  readonly snapshotIds: readonly string[];
  readonly evidenceIds: readonly string[];
  /** True when a measured mechanism (not a threshold alone) ties the observation to the culprit. */
  readonly mechanism?: boolean;
  /** How sure the skill is of the culprit; the coordinator may lower it. */
  readonly confidence?: 'high' | 'medium' | 'low';
  /** Who says so; absent means rules. A model's numbers and places are claims that need evidence of their own. */
  readonly author?: 'rules' | 'model';
  /** What verification in code found wanting, a sentence each; absent when everything held. */
  readonly marks?: readonly string[];
  readonly detectedAt: number;
  readonly traceId: string;
}

/** What a skill writes; the operator adds ids, time and trace. */
export type NotificationDraft = Omit<Notification, 'id' | 'operator' | 'detectedAt' | 'traceId' | 'snapshotIds'> & {
  readonly snapshotIds?: readonly string[];
};

/** A cause to act on, with its place: what it explains needs no longer look. */
export const isSure = ({ severity, confidence, culprit }: NotificationDraft): boolean =>
  confidence === 'high' && culprit !== undefined && (severity === 'warning' || severity === 'critical');
