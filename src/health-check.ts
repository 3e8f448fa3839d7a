import { sayShare } from './base/say.js';
import type { AttachTarget } from './inspector/attach.js';
import { TargetBlockedError } from './inspector/native-block.js';
import type { Session } from './inspector/session.js';
import { type Evidence, isUsable } from './model/evidence/index.js';
import type { FaultClass } from './model/fault.js';
import type { Notification } from './model/notification.js';
import type { Report } from './model/report.js';
import type { SavedBaseline, SavedRun, Spread } from './model/saved-baseline.js';
import { measured, metricKind, sayMetric } from './model/vital-metrics.js';
import type { Measures } from './model/watch-event.js';
import { type Regression, regressions, summarize } from './monitor/regression.js';
import { crosses, type Threshold } from './monitor/threshold.js';
import { concludeBlocked, finish, lookInto, type Plan, probeFor, type RunEnv, reach } from './run.js';

/** What a check judges beyond what an investigation finds by itself. */
export interface CheckPlan extends Plan {
  /** How long the target is watched undisturbed before anybody looks closer. */
  readonly quietMs: number;
  readonly thresholds: readonly Threshold[];
  readonly baseline?: SavedBaseline;
  /** A sentence for each thing that makes this check worth nothing: the load that failed, say. Asked at the end. */
  readonly spoiled: () => readonly string[];
  /** Gets the numbers of this run, for `--update-baseline`. */
  readonly onMeasured: (run: SavedRun) => void;
}

/** Long enough for a collection of a busy program and for 200 ticks of the delay's histogram. */
const WINDOW_S = 2;
/** The operator's name in the report: its findings are a test case of their own in JUnit. */
const OPERATOR = 'check';

/** A bounded look: undisturbed windows first, then an investigation, then limits and the saved baseline. */
export async function healthCheck(where: AttachTarget, plan: CheckPlan, env: RunEnv): Promise<Report> {
  env.emit({ type: 'run.started', reason: plan.reason, lens: env.version, planner: env.mind ? 'model' : 'rules' });
  const startedAt = env.now();
  const session = await reach(where, env);
  if (session instanceof TargetBlockedError) return concludeBlocked(session, env);
  try {
    const { target, openedInspector } = session;
    env.emit({ type: 'target.attached', target, openedInspector, attachMs: env.now() - startedAt });
    env.emit({ type: 'operator.started', operator: OPERATOR, urgent: true });
    const windows = await watchQuietly(session, plan, env);
    await lookInto(session, plan, env);
    conclude(windows, plan, env, startedAt);
  } finally {
    env.emit({ type: 'target.detached', detached: await session.detach() });
  }
  return finish(env);
}

interface Windows {
  readonly measured: readonly Measures[];
  readonly evidenceIds: readonly string[];
}

async function watchQuietly(session: Session, plan: CheckPlan, env: RunEnv): Promise<Windows> {
  const signal = AbortSignal.any([env.interrupt, session.lost]);
  const probe = probeFor(session, plan, env, signal, new Map<string, Evidence>());
  const found: { measured: Measures[]; evidenceIds: string[] } = { measured: [], evidenceIds: [] };
  for (const until = env.now() + plan.quietMs; env.now() < until && !signal.aborted; ) {
    const vitals = await probe.ask('vitals', { seconds: WINDOW_S }, { freshMs: 0 });
    if (!isUsable(vitals)) break;
    const process = await probe.ask('process', {}, { freshMs: 0 });
    found.measured.push(measured(vitals.data, isUsable(process) ? process.data : undefined));
    found.evidenceIds.push(vitals.id, ...(isUsable(process) ? [process.id] : []));
  }
  return found;
}

function conclude({ measured: windows, evidenceIds }: Windows, plan: CheckPlan, env: RunEnv, startedAt: number): void {
  const metrics = summarize(windows);
  const found = [
    ...plan.thresholds.flatMap(threshold => crossed(threshold, metrics) ?? []),
    ...(plan.baseline ? regressions(plan.baseline, metrics).map(regressed) : []),
  ].map(finding => raise(finding, evidenceIds, env));
  const open = [...plan.spoiled(), ...unjudged(plan, metrics)];
  if (open.length === 0 && windows.length > 0)
    plan.onMeasured({ at: env.now(), nodeVersion: env.state().target?.nodeVersion ?? '', metrics });
  env.emit({
    type: 'operator.finished',
    result: {
      skill: OPERATOR,
      state: found.length > 0 ? 'warning' : 'healthy',
      outcome: found.length > 0 ? 'found' : open.length > 0 ? 'inconclusive' : 'healthy',
      summary: summaryOf(found, open, plan, windows.length),
      iterations: windows.length,
      incomplete: open.length > 0,
      durationMs: env.now() - startedAt,
      notificationIds: found.map(({ id }) => id),
    },
  });
}

function unjudged(plan: CheckPlan, metrics: { readonly [metric: string]: Spread }): string[] {
  if (Object.keys(metrics).length === 0) return ['The target gave no reading while it was watched.'];
  return plan.thresholds
    .filter(({ metric }) => metrics[metric] === undefined)
    .map(({ text, metric }) => `${text} could not be judged: there was no reading of ${metric}.`);
}

function summaryOf(found: readonly Notification[], open: readonly string[], plan: CheckPlan, windows: number): string {
  if (found.length + open.length > 0) return [...found.map(n => n.title ?? n.observation), ...open].join(' ');
  const limits = plan.thresholds.length > 0 ? `, ${plan.thresholds.length} limits kept` : '';
  const runs = plan.baseline ? `, nothing worse than in ${plan.baseline.runs.length} saved runs` : '';
  return `Watched over ${windows} windows of ${WINDOW_S} s${limits}${runs}.`;
}

interface Finding {
  readonly faultClass: FaultClass;
  readonly title: string;
  readonly observation: string;
  readonly metric: { readonly name: string; readonly value: number; readonly unit: string; readonly baseline: number };
}

function crossed(threshold: Threshold, metrics: { readonly [metric: string]: Spread }): Finding | undefined {
  const now = metrics[threshold.metric];
  const kind = metricKind(threshold.metric);
  if (!now || !kind || !crosses(threshold, now.mean)) return undefined;
  const [value, limit] = [sayMetric(kind, now.mean), sayMetric(kind, threshold.limit)];
  return {
    faultClass: 'check.threshold',
    title: `${kind.name} is ${value}, ${threshold.comparison} the limit of ${limit} (${kind.doc})`,
    observation: `${kind.name} was ${value} on average over ${now.count} windows; 95 % of them were up to ${sayMetric(kind, now.p95)}.`,
    metric: { name: kind.name, value: now.mean, unit: kind.unit, baseline: threshold.limit },
  };
}

function regressed({ kind, value, normal, z, change }: Regression): Finding {
  const by = Number.isFinite(change) ? `, ${sayShare(change)} more` : '';
  return {
    faultClass: 'check.regression',
    title: `${kind.name} rose from ${sayMetric(kind, normal)} to ${sayMetric(kind, value)}${by} (${kind.doc})`,
    observation: `${kind.name} lies ${z.toFixed(1)} deviations above its baseline.`,
    metric: { name: kind.name, value, unit: kind.unit, baseline: normal },
  };
}

function raise(finding: Finding, evidenceIds: readonly string[], env: RunEnv): Notification {
  const { faultClass, title, observation, metric } = finding;
  const notification: Notification = {
    id: env.newId('notification'),
    operator: OPERATOR,
    anomalyType: faultClass === 'check.threshold' ? 'threshold-crossed' : 'baseline-regression',
    faultClass,
    severity: 'warning',
    context: 'lens check',
    observation,
    title,
    metrics: [metric],
    snapshotIds: [],
    evidenceIds,
    detectedAt: env.now(),
    traceId: env.traceId,
  };
  env.emit({ type: 'notification.raised', notification });
  env.emit({
    type: 'insight.produced',
    insight: {
      id: env.newId('insight'),
      rank: env.state().insights.length + 1,
      title,
      faultClass,
      severity: 'warning',
      confidence: 'high',
      correlation: 'symptomatic',
      summary: observation,
      matchedObservations: [observation],
      grounded: true,
      notificationIds: [notification.id],
      evidenceIds,
    },
  });
  return notification;
}
