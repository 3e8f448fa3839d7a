import { LensError } from '../model/error.js';
import type { EventBody } from '../model/event.js';
import { type Evidence, type EvidenceParams, isUsable } from '../model/evidence/index.js';
import type { Notification, NotificationDraft } from '../model/notification.js';
import type { Probe } from '../model/probe.js';
import type { OperatorResult } from '../model/report.js';
import type { HealthState } from '../model/severity.js';
import type { Conclusion, Skill, ToolCall, ToolResult } from '../model/skill.js';
import type { Snapshot, SnapshotData } from '../model/snapshot.js';
import type { TargetInfo } from '../model/target.js';

/** One call with what came of it. */
export interface Answered {
  readonly call: ToolCall;
  readonly result: ToolResult;
}

/** What a planner sees before it decides. */
export interface Turn {
  readonly iteration: number;
  readonly state: HealthState;
  /** Answers to the calls of the last turn, in their order; empty at first. */
  readonly answers: readonly Answered[];
  /** True when this is the last turn: the planner must conclude now. */
  readonly last: boolean;
}

/** Picks the next calls of an operator: the rule planner plays a playbook, the model planner asks a model. */
export interface Planner {
  readonly kind: 'rules' | 'model';
  readonly maxTurns: number;
  next(turn: Turn): Promise<readonly ToolCall[]>;
  /** What stands if the run ends now: the conclusion of the rules while a model still thinks about it. */
  readonly soFar?: () => Conclusion | undefined;
}

/** What all operators of a run share. */
export interface OperatorEnv {
  readonly target: TargetInfo;
  readonly reason: string;
  readonly urgent: boolean;
  readonly probe: Probe;
  readonly emit: (event: EventBody) => void;
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
  readonly traceId: string;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number) => Promise<void>;
  /** Waits while the investigation is paused; absent: it never is. */
  readonly pass?: () => Promise<void>;
  /** Runs a model's query script; absent where no sandbox is loaded. */
  readonly execute?: (skill: Skill, code: string, probe: Probe) => Promise<ToolResult>;
  /** Notifications of every operator of this run, oldest first. */
  readonly blackboard: Notification[];
}

const MAX_WAIT_MS = 60_000;

/** One skill at work: asks its planner, validates and runs each call, records it, until done, a limit or an abort. */
export class Operator {
  #state: HealthState = 'healthy';
  #reason = 'nothing seen yet';
  #conclusion: Conclusion | undefined;
  readonly #snapshots: Snapshot[] = [];
  readonly #evidenceIds: string[] = [];
  readonly #sent: Notification[] = [];
  #iterations = 0;

  constructor(
    readonly skill: Skill,
    private readonly planner: Planner,
    private readonly env: OperatorEnv,
  ) {}

  get evidenceIds(): readonly string[] {
    return this.#evidenceIds;
  }

  get state(): HealthState {
    return this.#state;
  }

  async run(): Promise<OperatorResult> {
    const startedAt = this.env.now();
    this.env.emit({ type: 'operator.started', operator: this.skill.id, urgent: this.env.urgent });
    let incomplete = false;
    try {
      await this.#loop();
    } catch (error) {
      if (!isInterruption(error, this.env.signal)) throw error;
      this.#conclusion ??= this.planner.soFar?.();
      incomplete = this.#conclusion === undefined;
    }
    const result = this.#result(startedAt, incomplete || this.#conclusion === undefined);
    this.env.emit({ type: 'operator.finished', result });
    return result;
  }

  async #loop(): Promise<void> {
    let answers: Answered[] = [];
    for (let iteration = 0; iteration < this.planner.maxTurns && !this.#conclusion; iteration++) {
      this.#iterations = iteration + 1;
      const last = iteration === this.planner.maxTurns - 1;
      await this.env.pass?.();
      const calls = await this.planner.next({ iteration, state: this.#state, answers, last });
      answers = [];
      for (const call of calls) {
        // A conclusion asks nothing of the target any more.
        if (this.env.signal.aborted && call.tool !== 'done') throw this.env.signal.reason;
        answers.push({ call, result: await this.#perform(call) });
        if (this.#conclusion) return;
      }
    }
  }

  async #perform(call: ToolCall): Promise<ToolResult> {
    this.env.emit({ type: 'operator.called', operator: this.skill.id, tool: call.tool, about: about(call) });
    const result = await this.#dispatch(call);
    if (!result.ok)
      this.env.emit({ type: 'operator.refused', operator: this.skill.id, tool: call.tool, error: result.error });
    return result;
  }

  async #dispatch(call: ToolCall): Promise<ToolResult> {
    switch (call.tool) {
      case 'set_state':
        return ok(this.#setState(call.state, call.reason));
      case 'send_notification':
        return this.#send(call.notification);
      case 'get_notifications':
        return ok(this.env.blackboard);
      case 'take_snapshot':
        return this.#takeSnapshot();
      case 'get_snapshot':
        return this.#findSnapshot(call.id);
      case 'get_snapshots':
        return ok(this.#snapshots.slice(call.offset ?? 0, (call.offset ?? 0) + (call.limit ?? 10)));
      case 'execute':
        return this.env.execute
          ? this.env.execute(this.skill, call.code, this.#probe())
          : { ok: false, error: 'There is no sandbox in this run; use ask.' };
      case 'ask':
        return this.#ask(call);
      case 'wait':
        await this.env.sleep(Math.min(Math.max(0, call.ms), MAX_WAIT_MS));
        return ok(null);
      case 'think':
        return ok(null);
      case 'done':
        this.#conclusion = { outcome: call.outcome, summary: call.summary };
        return ok(null);
      default:
        return call satisfies never;
    }
  }

  #probe(): Probe {
    return {
      ask: async (kind, params, options) => {
        const evidence = await this.env.probe.ask(kind, params, options);
        this.#remember(evidence);
        return evidence;
      },
    };
  }

  #remember(evidence: Evidence): void {
    if (isUsable(evidence) && !this.#evidenceIds.includes(evidence.id)) this.#evidenceIds.push(evidence.id);
  }

  async #ask({ kind, params, freshMs, ahead }: Extract<ToolCall, { tool: 'ask' }>): Promise<ToolResult> {
    // The planner's params belong to the kind: playbooks are typed, a model's are parsed by the query that asks.
    const asked = params as EvidenceParams<typeof kind>;
    const reading = this.#probe().ask(kind, asked, freshMs === undefined ? {} : { freshMs });
    if (!ahead) return ok(await reading);
    reading.catch(() => undefined); // whoever joins it hears of it
    return ok(null);
  }

  #setState(to: HealthState, reason: string): null {
    if (to !== this.#state)
      this.env.emit({ type: 'operator.state', operator: this.skill.id, from: this.#state, to, reason });
    this.#state = to;
    this.#reason = reason;
    return null;
  }

  async #takeSnapshot(): Promise<ToolResult> {
    const asked = await Promise.all(
      Object.entries(this.skill.needs).map(async ([name, need]) => {
        const evidence = await this.#probe().ask(need.kind, need.params as EvidenceParams<typeof need.kind>);
        return [name, evidence] as const;
      }),
    );
    const given = Object.fromEntries(asked.map(([name, e]) => [name, isUsable(e) ? e.data : undefined]));
    const data = this.skill.snapshot(given);
    if (!data) return ok(undefined);
    const snapshot = this.#keep(
      data,
      asked.filter(([, e]) => isUsable(e)).map(([, e]) => e.id),
    );
    for (const rule of this.skill.rules) {
      const draft = rule(data, snapshot);
      if (draft) this.#send({ ...draft, snapshotIds: [snapshot.id] });
    }
    return ok(snapshot);
  }

  #keep(data: SnapshotData, evidenceIds: readonly string[]): Snapshot {
    const id = this.env.newId('snapshot');
    const snapshot: Snapshot = { id, skill: this.skill.id, takenAt: this.env.now(), evidenceIds, data };
    this.#snapshots.push(snapshot);
    this.env.emit({ type: 'snapshot.taken', snapshot });
    return snapshot;
  }

  #findSnapshot(id: string): ToolResult {
    const found = this.#snapshots.find(snapshot => snapshot.id === id);
    if (found) return ok(found);
    return {
      ok: false,
      error: `No snapshot ${id}; there are: ${this.#snapshots.map(s => s.id).join(', ') || 'none'}.`,
    };
  }

  /** The evidence rule: a notification stands on a snapshot or a reading that exists, or it is not sent. */
  #send(draft: NotificationDraft): ToolResult {
    const snapshotIds = (draft.snapshotIds ?? []).length > 0 ? (draft.snapshotIds ?? []) : this.#lastSnapshotIds();
    const unknown = [
      ...snapshotIds.filter(id => !this.#snapshots.some(s => s.id === id)),
      ...draft.evidenceIds.filter(id => !this.#evidenceIds.includes(id)),
    ];
    if (unknown.length > 0) return { ok: false, error: `These ids do not exist: ${unknown.join(', ')}.` };
    if (snapshotIds.length + draft.evidenceIds.length === 0)
      return { ok: false, error: 'A notification needs a snapshot or a reading that exists: take_snapshot first.' };
    const twin = this.#sent.find(n => n.anomalyType === draft.anomalyType && n.observation === draft.observation);
    if (twin) return ok(twin.id);
    const notification: Notification = {
      ...draft,
      snapshotIds,
      id: this.env.newId('notification'),
      operator: this.skill.id,
      detectedAt: this.env.now(),
      traceId: this.env.traceId,
    };
    this.#sent.push(notification);
    this.env.blackboard.push(notification);
    this.env.emit({ type: 'notification.raised', notification });
    return ok(notification.id);
  }

  #lastSnapshotIds(): readonly string[] {
    const last = this.#snapshots.at(-1);
    return last ? [last.id] : [];
  }

  #result(startedAt: number, incomplete: boolean): OperatorResult {
    return {
      skill: this.skill.id,
      state: this.#state,
      outcome: this.#conclusion?.outcome ?? 'inconclusive',
      summary: this.#conclusion?.summary ?? `Stopped before a conclusion; last: ${this.#reason}.`,
      iterations: this.#iterations,
      incomplete,
      durationMs: this.env.now() - startedAt,
      notificationIds: this.#sent.map(n => n.id),
    };
  }
}

function ok(value: unknown): ToolResult {
  return { ok: true, value };
}

function isInterruption(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (error instanceof LensError && error.code === 'target-lost');
}

/** What a call is about in a few words, for people who watch. */
function about(call: ToolCall): string {
  switch (call.tool) {
    case 'set_state':
      return `${call.state}: ${call.reason}`;
    case 'send_notification':
      return call.notification.title ?? call.notification.observation;
    case 'ask':
      return call.kind;
    case 'think':
      return call.thought;
    case 'done':
      return call.summary;
    case 'wait':
      return `${call.ms} ms`;
    case 'execute':
      return call.code.slice(0, 80);
    case 'get_snapshot':
      return call.id;
    default:
      return '';
  }
}
