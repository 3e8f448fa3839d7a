import type { ZodType } from 'zod';
import type { Evidence, EvidenceData, EvidenceKind, EvidenceParams } from './evidence/index.js';
import type { Json } from './json.js';
import type { NotificationDraft } from './notification.js';
import type { Probe } from './probe.js';
import type { HealthState } from './severity.js';
import type { Snapshot, SnapshotData } from './snapshot.js';
import type { TargetInfo } from './target.js';

/** Which readings a skill's snapshot is made of, by a name of its own: `{ vitals: { kind: 'vitals', params: { seconds: 5 } } }`. */
export type Needs = { readonly [name: string]: Need };
export type Need = { [K in EvidenceKind]: { readonly kind: K; readonly params: EvidenceParams<K> } }[EvidenceKind];

/** The data of every need; `undefined` where the reading was refused or unavailable. */
export type Given<N extends Needs> = { readonly [P in keyof N]: EvidenceData<N[P]['kind']> | undefined };

/** One question a skill can ask: schema, documentation and function in one object. */
export interface Query<P = never, R extends Json = Json> {
  readonly name: string;
  readonly doc: string;
  readonly params: ZodType<P>;
  run(params: P, probe: Probe): Promise<R>;
}

/** The closed list of what an operator may do, for rules and models alike. */
export type ToolCall =
  | { readonly tool: 'set_state'; readonly state: HealthState; readonly reason: string }
  | { readonly tool: 'send_notification'; readonly notification: NotificationDraft }
  | { readonly tool: 'get_notifications' }
  | { readonly tool: 'take_snapshot' }
  | { readonly tool: 'get_snapshot'; readonly id: string }
  | { readonly tool: 'get_snapshots'; readonly limit?: number; readonly offset?: number }
  | { readonly tool: 'execute'; readonly code: string }
  | {
      readonly tool: 'ask';
      readonly kind: EvidenceKind;
      readonly params: object;
      readonly freshMs?: number;
      /** Only begins the reading; who asks for the same later joins it. */
      readonly ahead?: boolean;
    }
  | { readonly tool: 'wait'; readonly ms: number }
  | { readonly tool: 'think'; readonly thought: string }
  | { readonly tool: 'done'; readonly outcome: Outcome; readonly summary: string };

export type Outcome = 'healthy' | 'found' | 'not-applicable' | 'inconclusive';

export type ToolResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };

export interface Conclusion {
  readonly outcome: Outcome;
  /** One sentence with its numbers, healthy or not: "Live heap is flat at 48 MB over 20 s." */
  readonly summary: string;
}

/**
 * What a playbook sees and may do. Every method is a tool call in the operator's loop (recorded, limited, validated);
 * `yield*` hands it over and comes back with the typed result.
 */
export interface OperatorView {
  readonly target: TargetInfo;
  readonly reason: string;
  /** True when the reason's words or an earlier finding point at this skill: look closer, wait longer. */
  readonly urgent: boolean;
  /** Ids of every usable reading this operator got, newest last. */
  readonly evidenceIds: readonly string[];
  ask<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, freshMs?: number): Step<Evidence<EvidenceData<K>>>;
  /** Begins a reading that this playbook will ask for in any case, beside what it asks meanwhile. */
  begin<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, freshMs?: number): Step<void>;
  /** Takes a snapshot of the skill's needs; undefined when there was not enough to say. */
  snapshot(): Step<Snapshot | undefined>;
  notify(draft: NotificationDraft): Step<string>;
  setState(state: HealthState, reason: string): Step<void>;
  think(thought: string): Step<void>;
  wait(ms: number): Step<void>;
  /** What this and other operators have noticed so far in this run. */
  notifications(): Step<readonly { readonly operator: string; readonly draft: NotificationDraft }[]>;
}

export type Step<T> = AsyncGenerator<ToolCall, T, ToolResult>;
export type Playbook = (see: OperatorView) => Step<Conclusion>;

/** A judgement on one snapshot alone; undefined when there is nothing to say. */
export type Rule = (data: SnapshotData, snapshot: Snapshot) => NotificationDraft | undefined;

export interface Skill<N extends Needs = Needs> {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What is inside and outside of this skill, so that an operator can say "not applicable" at once. */
  readonly scope: string;
  /** Words of a reason that point here: `['memory', 'heap', 'oom']`. Matched as whole words, case-insensitive. */
  readonly words: readonly string[];
  /** True when the skill can look at a target whose event loop stands still; all others are left out then. */
  readonly whileHung?: boolean;
  readonly needs: N;
  snapshot(given: Given<N>): SnapshotData | undefined;
  readonly rules: readonly Rule[];
  readonly playbook: Playbook;
  readonly queries: readonly Query[];
  /** What a model is told beyond the generated tool list. */
  readonly prompt: string;
}

/** Infers the needs, so that `snapshot` sees the right data. */
export function defineSkill<const N extends Needs>(skill: Skill<N>): Skill {
  // The needs only narrow what `snapshot` receives; the operator hands it exactly those.
  return skill as unknown as Skill;
}

/** Infers the parameter type of a query from its schema. */
export function defineQuery<P, R extends Json>(query: Query<P, R>): Query {
  // The operator parses params with the query's own schema before it calls `run`.
  return query as unknown as Query;
}
