import type { LensEvent } from '../model/event.js';
import type { EvidenceStatus } from '../model/evidence/index.js';
import type { Insight } from '../model/insight.js';
import { addUse, type ModelTotal } from '../model/model-use.js';
import type { Notification } from '../model/notification.js';
import type { Artifact, Detached, Failure, OperatorResult, Report } from '../model/report.js';
import type { HealthState } from '../model/severity.js';
import type { Snapshot } from '../model/snapshot.js';
import type { TargetInfo } from '../model/target.js';
import { type FeedRow, feedRow } from './feed.js';

/** A reading as the run's stream tells it, without its data. */
export interface ReadingRow {
  readonly id: string;
  readonly kind: string;
  readonly status: EvidenceStatus;
  readonly reason?: string;
  readonly pausedMs: number;
  readonly longestPauseMs?: number;
  readonly costMs: number;
  readonly tookMs: number;
  readonly path?: string;
}

export interface OperatorRow {
  readonly id: string;
  readonly urgent: boolean;
  readonly state: HealthState;
  readonly reason: string;
  /** The latest call in words: what it is doing now. */
  readonly activity: string;
  readonly calls: number;
  readonly result?: OperatorResult;
}

/** Everything a view can show of a run, folded from its events. Plain data; a replay gives the same states. */
export interface RunState {
  readonly runId: string;
  readonly lens: string;
  readonly reason: string;
  readonly planner: 'rules' | 'model';
  readonly startedAt: number;
  readonly lastAt: number;
  readonly target?: TargetInfo;
  readonly openedInspector: boolean;
  /** A person has paused it. */
  readonly held: boolean;
  readonly vitals: readonly { readonly at: number; readonly values: { readonly [name: string]: number } }[];
  readonly readings: readonly ReadingRow[];
  readonly waitingFor: readonly string[];
  readonly operators: readonly OperatorRow[];
  readonly snapshots: readonly Snapshot[];
  readonly notifications: readonly Notification[];
  readonly insights: readonly Insight[];
  readonly failures: readonly Failure[];
  /** What could have been looked at and was not. */
  readonly leftOut: readonly string[];
  /** The story so far, oldest first. */
  readonly feed: readonly FeedRow[];
  readonly artifacts: readonly Artifact[];
  /** Calls, tokens and money of the models, so far. */
  readonly model?: ModelTotal;
  /** True once a model has answered a call. */
  readonly modelAnswered?: boolean;
  readonly lost?: string;
  readonly detached?: Detached;
  readonly report?: Report;
}

/** An hour of one-second vitals; older ones only cost memory in a view. */
const MAX_VITALS = 3600;
/** A run has some hundred lines; more than a person scrolls back only cost memory. */
const MAX_FEED = 1000;

export const initialState: RunState = {
  runId: '',
  lens: '',
  reason: '',
  planner: 'rules',
  startedAt: 0,
  lastAt: 0,
  openedInspector: false,
  held: false,
  vitals: [],
  readings: [],
  waitingFor: [],
  operators: [],
  snapshots: [],
  notifications: [],
  insights: [],
  failures: [],
  leftOut: [],
  feed: [],
  artifacts: [],
};

/** One event further. Pure: the state before stays as it was. */
export function reduce(before: RunState, event: LensEvent): RunState {
  const told = feedRow(event);
  const feed = told ? [...before.feed, told].slice(-MAX_FEED) : before.feed;
  const state = { ...before, lastAt: event.at, feed };
  switch (event.type) {
    case 'run.started':
      return {
        ...state,
        runId: event.runId,
        startedAt: event.at,
        reason: event.reason,
        lens: event.lens,
        planner: event.planner,
      };
    case 'target.attached':
      return { ...state, target: event.target, openedInspector: event.openedInspector };
    case 'run.held':
      return { ...state, held: event.held };
    case 'vitals.read':
      return { ...state, vitals: [...state.vitals, { at: event.at, values: event.vitals }].slice(-MAX_VITALS) };
    case 'target.awaited':
    case 'skills.chosen':
      return state;
    case 'evidence.asked':
      return { ...state, waitingFor: [...state.waitingFor, event.kind] };
    case 'evidence.collected':
      return { ...state, readings: [...state.readings, row(event)], waitingFor: without(state.waitingFor, event.kind) };
    case 'operator.started':
      return { ...state, operators: [...state.operators, newRow(event.operator, event.urgent)] };
    case 'operator.called':
      return withOperator(state, event.operator, o => ({
        ...o,
        calls: o.calls + 1,
        activity: `${event.tool} ${event.about}`.trim(),
      }));
    case 'operator.state':
      return withOperator(state, event.operator, o => ({ ...o, state: event.to, reason: event.reason }));
    case 'operator.refused':
      return withOperator(state, event.operator, o => ({ ...o, activity: `refused: ${event.error}` }));
    case 'operator.finished':
      return withOperator(state, event.result.skill, o => ({
        ...o,
        state: event.result.state,
        activity: event.result.summary,
        result: event.result,
      }));
    case 'snapshot.taken':
      return { ...state, snapshots: [...state.snapshots, event.snapshot] };
    case 'notification.raised':
      return { ...state, notifications: [...state.notifications, event.notification] };
    case 'insight.produced':
      return { ...state, insights: [...state.insights, event.insight] };
    case 'model.called':
      return {
        ...state,
        model: addUse(state.model, event.call),
        modelAnswered: state.modelAnswered === true || event.call.error === undefined,
      };
    case 'artifact.saved':
      return { ...state, artifacts: [...state.artifacts, event.artifact] };
    case 'failure':
      return { ...state, failures: [...state.failures, event.failure] };
    case 'left.out':
      return { ...state, leftOut: [...state.leftOut, event.what] };
    case 'target.lost':
      return { ...state, lost: event.reason };
    case 'target.detached':
      return { ...state, detached: event.detached };
    case 'run.finished':
      return { ...state, report: event.report, held: false };
    default:
      // A newer lens may have written more kinds of events than this one knows.
      event satisfies never;
      return state;
  }
}

function row(event: Extract<LensEvent, { type: 'evidence.collected' }>): ReadingRow {
  const { id, kind, status, reason, pausedMs, longestPauseMs, costMs, tookMs, path } = event;
  return {
    id,
    kind,
    status,
    pausedMs,
    costMs,
    tookMs,
    ...(longestPauseMs === undefined ? {} : { longestPauseMs }),
    ...(reason === undefined ? {} : { reason }),
    ...(path === undefined ? {} : { path }),
  };
}

/** Nothing was looked at yet: that is not healthy. */
function newRow(id: string, urgent: boolean): OperatorRow {
  return { id, urgent, state: 'observing', reason: '', activity: '', calls: 0 };
}

function withOperator(state: RunState, id: string, change: (row: OperatorRow) => OperatorRow): RunState {
  return { ...state, operators: state.operators.map(o => (o.id === id ? change(o) : o)) };
}

function without(list: readonly string[], item: string): readonly string[] {
  const at = list.indexOf(item);
  return at < 0 ? list : list.toSpliced(at, 1);
}
