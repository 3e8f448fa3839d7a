import type { Insight } from './insight.js';
import type { ModelTotal } from './model-use.js';
import type { Notification } from './notification.js';
import type { HealthState } from './severity.js';
import type { Outcome } from './skill.js';
import type { TargetInfo } from './target.js';

export type Verdict = 'healthy' | 'observing' | 'warning' | 'critical' | 'inconclusive';

export interface OperatorResult {
  readonly skill: string;
  readonly state: HealthState;
  readonly outcome: Outcome;
  readonly summary: string;
  readonly iterations: number;
  readonly incomplete: boolean;
  readonly durationMs: number;
  readonly notificationIds: readonly string[];
}

export interface Failure {
  readonly where: string;
  readonly message: string;
}

export interface Disturbance {
  readonly pausedMs: number;
  readonly longestPauseMs: number;
  readonly targetCpuMs: number;
  readonly readings: readonly { readonly kind: string; readonly pausedMs: number }[];
}

export interface Artifact {
  readonly kind: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Detached {
  readonly inspectorClosed: boolean;
  /** What could not be taken back, a sentence each; empty when the target is as it was. */
  readonly residue: readonly string[];
}

export interface Report {
  readonly schema: 'lens.report/1';
  readonly lens: { readonly version: string };
  readonly run: {
    readonly id: string;
    readonly reason: string;
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly planner: 'rules' | 'model';
    readonly model?: string;
    /** Calls, tokens and money, when a model was asked. */
    readonly usage?: ModelTotal;
  };
  readonly target: TargetInfo;
  readonly verdict: Verdict;
  readonly summary: string;
  readonly insights: readonly Insight[];
  readonly operators: readonly OperatorResult[];
  readonly notifications: readonly Notification[];
  readonly inconclusive: readonly string[];
  readonly failures: readonly Failure[];
  readonly disturbance: Disturbance;
  readonly artifacts: readonly Artifact[];
  readonly detached: Detached;
}
