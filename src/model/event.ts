import type { EvidenceStatus } from './evidence/index.js';
import type { Insight } from './insight.js';
import type { Json } from './json.js';
import type { ModelUse } from './model-use.js';
import type { Notification } from './notification.js';
import type { Artifact, Detached, Failure, OperatorResult, Report } from './report.js';
import type { HealthState } from './severity.js';
import type { Snapshot } from './snapshot.js';
import type { TargetInfo } from './target.js';

/** Facts of a run in the past tense. Every view is a fold of them. */
export type LensEvent = { readonly at: number; readonly runId: string; readonly traceId: string } & EventBody;

export type EventBody =
  | {
      readonly type: 'run.started';
      readonly reason: string;
      readonly lens: string;
      readonly planner: 'rules' | 'model';
    }
  /** Something else has to end before lens can attach: a sentence. */
  | { readonly type: 'target.awaited'; readonly why: string }
  | {
      readonly type: 'target.attached';
      readonly target: TargetInfo;
      readonly openedInspector: boolean;
      readonly attachMs: number;
    }
  /** A person pauses the investigation: readings under way end, no other begins until it goes on. */
  | { readonly type: 'run.held'; readonly held: boolean }
  | { readonly type: 'vitals.read'; readonly vitals: { readonly [name: string]: number } }
  | { readonly type: 'skills.chosen'; readonly skills: readonly string[]; readonly why: string }
  | { readonly type: 'evidence.asked'; readonly kind: string; readonly params: Json; readonly operator?: string }
  | {
      readonly type: 'evidence.collected';
      readonly id: string;
      readonly kind: string;
      readonly params: Json;
      readonly status: EvidenceStatus;
      readonly reason?: string;
      readonly pausedMs: number;
      readonly longestPauseMs?: number;
      readonly costMs: number;
      readonly tookMs: number;
      /** The data itself while small; otherwise it lies in the run's evidence folder under `path`. */
      readonly data?: Json;
      readonly path?: string;
    }
  | { readonly type: 'operator.started'; readonly operator: string; readonly urgent: boolean }
  | { readonly type: 'operator.called'; readonly operator: string; readonly tool: string; readonly about: string }
  | {
      readonly type: 'operator.state';
      readonly operator: string;
      readonly from: HealthState;
      readonly to: HealthState;
      readonly reason: string;
    }
  | { readonly type: 'operator.refused'; readonly operator: string; readonly tool: string; readonly error: string }
  | { readonly type: 'operator.finished'; readonly result: OperatorResult }
  | { readonly type: 'snapshot.taken'; readonly snapshot: Snapshot }
  | { readonly type: 'notification.raised'; readonly notification: Notification }
  | { readonly type: 'insight.produced'; readonly insight: Insight }
  | { readonly type: 'model.called'; readonly call: ModelUse }
  | { readonly type: 'artifact.saved'; readonly artifact: Artifact }
  | { readonly type: 'failure'; readonly failure: Failure }
  /** Something that could have been looked at and was not: a sentence with the next step. */
  | { readonly type: 'left.out'; readonly what: string }
  | { readonly type: 'target.lost'; readonly reason: string }
  | { readonly type: 'target.detached'; readonly detached: Detached }
  | { readonly type: 'run.finished'; readonly report: Report };

export type Emit = (event: EventBody) => void;
