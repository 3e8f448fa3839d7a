import type { CodeLocation } from './location.js';
import type { Verdict } from './report.js';
import type { Severity } from './severity.js';

/** Numbers of one moment by metric name (src/model/vital-metrics.ts); what could not be read is absent. */
export type Measures = { readonly [metric: string]: number };

/** One watched application: the same across its restarts. */
export interface WatchedTarget {
  /** What people call it. */
  readonly name: string;
  /** Command and working directory, hashed. */
  readonly fingerprint: string;
  readonly pid: number;
  /** Tells processes of one command apart, from 1 on; absent for the first. */
  readonly twin?: number;
}

export interface Alert {
  /** Application and rule: the same trouble has the same one, whenever it comes. */
  readonly fingerprint: string;
  /** limit: a rule was broken; anomaly: it is unusual; forecast: a limit will be reached. */
  readonly kind: 'limit' | 'anomaly' | 'forecast';
  readonly rule: string;
  readonly metric: string;
  readonly level: Exclude<Severity, 'info'>;
  readonly title: string;
  readonly value: number;
  /** The limit that was crossed, or what was normal. */
  readonly normal: number;
  /** Deviations from normal, of an anomaly. */
  readonly z?: number;
  readonly firedAt: number;
  /** How often it would have fired but for suppression, this time included. */
  readonly count: number;
}

/** Worst of what burns. */
export type HealthWord = 'healthy' | 'warning' | 'critical';

/** What people are told of an alert. */
export type AlertEventBody = Extract<WatchEventBody, { readonly alert: Alert }>;

/** Facts of `lens watch` in the past tense; `seq` rises by one within a watch, so that a reader sees gaps and doubles. */
export type WatchEvent = { readonly at: number; readonly watch: string; readonly seq: number } & WatchEventBody;

export type WatchEventBody =
  | { readonly type: 'watch.started'; readonly lens: string; readonly watching: string; readonly intervalMs: number }
  | {
      readonly type: 'watch.status';
      readonly targets: number;
      readonly rssBytes: number;
      readonly cpuPercent: number;
      /** What bounds have cost: moments of history, events of sinks. */
      readonly dropped: { readonly [what: string]: number };
      readonly waiting: { readonly [sink: string]: number };
    }
  | { readonly type: 'watch.stopped'; readonly reason: string }
  | { readonly type: 'target.attached'; readonly target: WatchedTarget; readonly nodeVersion: string }
  | { readonly type: 'target.lost'; readonly target: WatchedTarget; readonly reason: string }
  | {
      readonly type: 'target.restarted';
      readonly target: WatchedTarget;
      readonly previousPid: number;
      readonly downMs: number;
    }
  | { readonly type: 'restart.pattern'; readonly target: WatchedTarget; readonly kind: string; readonly title: string }
  | { readonly type: 'metrics.read'; readonly target: WatchedTarget; readonly values: Measures }
  | {
      /** Told when it changes. */
      readonly type: 'target.health';
      readonly target: WatchedTarget;
      readonly health: HealthWord;
      /** Mean health of the last hour, 0 to 1; the time it was away counts as 0. */
      readonly stability: number;
    }
  | {
      readonly type: 'settings.changed';
      /** Names of settings with their new values. */
      readonly changes: readonly { readonly name: string; readonly value: string; readonly from: string }[];
      /** Those that wait for the next start. */
      readonly later: readonly string[];
    }
  | {
      readonly type: 'alert.fired';
      readonly target: WatchedTarget;
      readonly alert: Alert;
      /** Every metric at the moment it fired. */
      readonly snapshot: Measures;
    }
  | { readonly type: 'alert.escalated'; readonly target: WatchedTarget; readonly alert: Alert }
  | { readonly type: 'alert.resolved'; readonly target: WatchedTarget; readonly alert: Alert }
  | { readonly type: 'investigation.started'; readonly target: WatchedTarget; readonly reason: string }
  | {
      readonly type: 'investigation.finished';
      readonly target: WatchedTarget;
      readonly reason: string;
      readonly verdict: Verdict;
      readonly summary: string;
      readonly culprit?: CodeLocation;
      readonly path: string;
    }
  | { readonly type: 'failure'; readonly where: string; readonly message: string };
