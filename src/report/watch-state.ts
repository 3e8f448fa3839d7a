import type { Alert, HealthWord, Measures, WatchEvent, WatchedTarget } from '../model/watch-event.js';
import { sayWatchEvent } from './say-watch-event.js';

/** One watched application as far as the events tell. */
export interface WatchedState {
  readonly target: WatchedTarget;
  readonly up: boolean;
  readonly nodeVersion?: string;
  readonly values: Measures;
  /** Newest last, at most PAST of each metric; NaN where it was not read. */
  readonly past: { readonly [metric: string]: readonly number[] };
  readonly firing: readonly Alert[];
  readonly health: HealthWord;
  readonly restarts: number;
  readonly readAt?: number;
  /** Why lens looks closer right now. */
  readonly looking?: string;
}

export interface WatchNews {
  readonly at: number;
  readonly text: string;
  readonly level: 'info' | 'good' | HealthWord;
  readonly about?: WatchedTarget;
}

/** A watch as its events tell it: what every view of it shows. */
export interface WatchState {
  readonly startedAt?: number;
  readonly watching: string;
  readonly intervalMs: number;
  readonly targets: readonly WatchedState[];
  /** Newest first, at most MOST_NEWS. */
  readonly news: readonly WatchNews[];
  readonly status?: Extract<WatchEvent, { type: 'watch.status' }>;
  readonly stopped?: string;
}

export const initialWatchState: WatchState = { watching: '', intervalMs: 0, targets: [], news: [] };

/** Twice a wide screen. */
const PAST = 240;
const MOST_NEWS = 200;

/** One event further. */
export function reduceWatch(state: WatchState, event: WatchEvent): WatchState {
  const told = withNews(state, event);
  switch (event.type) {
    case 'watch.started':
      return { ...told, startedAt: event.at, watching: event.watching, intervalMs: event.intervalMs };
    case 'watch.status':
      return { ...told, status: event };
    case 'watch.stopped':
      return { ...told, stopped: event.reason };
    case 'settings.changed':
    case 'failure':
      return told;
    default:
      return withTarget(told, event.target, known => changed(known, event));
  }
}

type TargetEvent = Extract<WatchEvent, { readonly target: WatchedTarget }>;

function changed(known: WatchedState, event: TargetEvent): WatchedState {
  switch (event.type) {
    case 'target.attached':
      return { ...known, up: true, nodeVersion: event.nodeVersion };
    case 'target.lost':
      return { ...known, up: false, values: {}, health: 'healthy' };
    case 'target.restarted':
      return { ...known, up: true, restarts: known.restarts + 1 };
    case 'metrics.read':
      return { ...known, up: true, values: event.values, past: longer(known.past, event.values), readAt: event.at };
    case 'target.health':
      return { ...known, health: event.health };
    case 'alert.fired':
    case 'alert.escalated':
      return { ...known, firing: [...without(known.firing, event.alert), event.alert] };
    case 'alert.resolved':
      return { ...known, firing: without(known.firing, event.alert) };
    case 'investigation.started':
      return { ...known, looking: event.reason };
    case 'investigation.finished': {
      const { looking: _, ...rest } = known;
      return rest;
    }
    case 'restart.pattern':
      return known;
    default:
      return event satisfies never;
  }
}

const without = (alerts: readonly Alert[], { fingerprint }: Alert): readonly Alert[] =>
  alerts.filter(other => other.fingerprint !== fingerprint);

function longer(past: WatchedState['past'], values: Measures): WatchedState['past'] {
  const names = new Set([...Object.keys(past), ...Object.keys(values)]);
  return Object.fromEntries(
    [...names].map(name => [name, [...(past[name] ?? []), values[name] ?? Number.NaN].slice(-PAST)]),
  );
}

function withTarget(
  state: WatchState,
  target: WatchedTarget,
  change: (known: WatchedState) => WatchedState,
): WatchState {
  const at = state.targets.findIndex(({ target: known }) => isSame(known, target));
  if (at < 0) return { ...state, targets: [...state.targets, change(fresh(target))] };
  return { ...state, targets: state.targets.map((known, i) => (i === at ? { ...change(known), target } : known)) };
}

/** Across restarts too: twins of one command are told apart. */
const isSame = (one: WatchedTarget, other: WatchedTarget): boolean =>
  one.fingerprint === other.fingerprint && one.twin === other.twin;

const fresh = (target: WatchedTarget): WatchedState => ({
  ...{ target, up: true, values: {}, past: {}, firing: [], health: 'healthy', restarts: 0 },
});

function withNews(state: WatchState, event: WatchEvent): WatchState {
  if (event.type === 'watch.status' || event.type === 'watch.started' || event.type === 'target.health') return state;
  const text = sayWatchEvent(event);
  if (text === undefined) return state;
  const about = 'target' in event ? { about: event.target } : {};
  return {
    ...state,
    news: [{ at: event.at, text, level: levelOf(event), ...about }, ...state.news].slice(0, MOST_NEWS),
  };
}

function levelOf(event: WatchEvent): WatchNews['level'] {
  if (event.type === 'alert.fired') return event.alert.level;
  if (event.type === 'alert.escalated') return 'critical';
  if (event.type === 'alert.resolved') return 'good';
  if (event.type === 'investigation.finished')
    return event.verdict === 'warning' || event.verdict === 'critical' ? event.verdict : 'info';
  return event.type === 'target.lost' || event.type === 'failure' || event.type === 'restart.pattern'
    ? 'warning'
    : 'info';
}
