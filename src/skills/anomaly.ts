import { z } from 'zod';
import { type Baseline, distance } from '../base/normal.js';
import { isUsable } from '../model/evidence/index.js';
import type { Normal } from '../model/evidence/normal.js';
import type { ProcessReading } from '../model/evidence/process.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { Json } from '../model/json.js';
import type { Probe } from '../model/probe.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { METRICS, type MetricKind, measured, sayMetric } from '../model/vital-metrics.js';
import { unread } from './unread.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;
const process = { kind: 'process', params: {} } as const;
const normal = { kind: 'normal', params: {} } as const;

/** DESIGN §7, the same as the watch's detector: deviations from normal, and so many windows in a row. */
const Z = 3;
const WINDOWS = 3;
/** A program that has just started compiles and fills its caches: neither normal nor an anomaly. */
const YOUNG_SECONDS = 60;
/**
 * What an investigation itself moves: it collects, it profiles, it stops the loop for some milliseconds. The watch judges
 * these, because it looks when nobody else does.
 */
const MOVED_BY_LENS = /^(gc|cpu|loop)\./;
const MOST_ROWS = 30;

interface Departure {
  readonly kind: MetricKind;
  readonly value: number;
  readonly baseline: Baseline;
  readonly z: number;
}

export const anomaly = defineSkill({
  id: 'anomaly',
  title: 'Departure from normal',
  description: 'Which metrics left what `lens watch` learned as normal for this application',
  scope:
    'Metrics against the baselines of earlier watches of the same command in the same directory. Not applicable where lens has not watched. Says that something is unusual, never why.',
  words: ['anomaly', 'anomalies', 'baseline', 'unusual', 'normal', 'deviation', 'regression'],
  needs: { vitals, process, normal },
  snapshot: ({ vitals, process, normal }) =>
    vitals && normal && isKnown(normal) ? numbersOf(normal, departures(normal, vitals, process)) : undefined,
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'anomaly_state',
      doc: 'What is known of normal: how many metrics, when last learned, and alerts that burn.',
      params: z.object({}),
      run: async (_, probe) => {
        const known = await knownBy(probe);
        if ('reason' in known) return known;
        const { baselines, learnedAt, open } = known;
        const alerts = open
          .slice(0, MOST_ROWS)
          .map(({ kind, metric, level, title, firedAt }) => ({ kind, metric, level, title, firedAt }));
        return { metrics: Object.keys(baselines).length, learnedAt: learnedAt ?? null, alerts };
      },
    }),
    defineQuery({
      name: 'baseline',
      doc: 'What is normal for one metric: median, spread, percentiles, samples. Without a name: which metrics are known.',
      params: z.object({ metric: z.string().optional() }),
      run: async ({ metric }, probe) => {
        const known = await knownBy(probe);
        if ('reason' in known) return known;
        if (metric === undefined) return Object.keys(known.baselines);
        const baseline = known.baselines[metric];
        return baseline ? { ...baseline } : { metric, status: 'unknown', known: Object.keys(known.baselines) };
      },
    }),
    defineQuery({
      name: 'anomalies',
      doc: 'Metrics that lie outside of normal in a new window of 2 to 20 seconds, farthest first. One window alone is no anomaly yet.',
      params: z.object({ seconds: z.number().int().min(2).max(20).default(5) }),
      run: async ({ seconds }, probe) => {
        const known = await knownBy(probe);
        if ('reason' in known) return known;
        const now = await probe.ask('vitals', { seconds });
        if (!isUsable(now)) return unread(now);
        const own = await probe.ask('process', {});
        return departures(known, now.data, isUsable(own) ? own.data : undefined).map(rowOf);
      },
    }),
  ],
  prompt:
    'An unusual number is a lead for others, not a fault: busy days are unusual too. Say what left its baseline, since when, and by how much.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const known = yield* see.ask('normal', {});
  const metrics = isUsable(known) ? Object.keys(known.data.baselines).length : 0;
  if (!isUsable(known) || metrics === 0)
    return { outcome: 'not-applicable', summary: 'Nothing is known of what is normal here: `lens watch` learns it.' };
  yield* see.snapshot();
  const first = yield* look(see, known.data);
  if (typeof first === 'string') return { outcome: 'inconclusive', summary: first };
  if (first.uptimeSeconds < YOUNG_SECONDS)
    return {
      outcome: 'not-applicable',
      summary: `The process is ${Math.round(first.uptimeSeconds)} s old: too young to compare.`,
    };
  const left = first.departures;
  const lasting = left.length > 0 ? yield* still(see, known.data, left) : [];
  if (lasting.length > 0) return yield* report(see, lasting, known.id);
  const short = left.length > 0 ? ` ${left.map(({ kind }) => kind.name).join(', ')} left it for a moment.` : '';
  return {
    outcome: 'healthy',
    summary: `${metrics} metrics lie where earlier watches of this application saw them.${short}`,
  };
}

interface Window {
  readonly departures: readonly Departure[];
  readonly uptimeSeconds: number;
}

async function* look(see: OperatorView, known: Normal, freshMs?: number): Step<Window | string> {
  const now = yield* see.ask('vitals', vitals.params, freshMs);
  if (!isUsable(now)) return `The metrics could not be read: ${now.reason ?? 'no reason'}.`;
  const own = yield* see.ask('process', {}, freshMs);
  const all = departures(known, now.data, isUsable(own) ? own.data : undefined);
  return {
    departures: all.filter(({ kind }) => !MOVED_BY_LENS.test(kind.name)),
    uptimeSeconds: now.data.uptimeSeconds,
  };
}

/** A moment is no level: what is outside in every window, with its latest value. */
async function* still(see: OperatorView, known: Normal, first: readonly Departure[]): Step<readonly Departure[]> {
  let lasting = first;
  for (let window = 1; window < WINDOWS && lasting.length > 0; window++) {
    const next = yield* look(see, known, 0);
    if (typeof next === 'string') return [];
    const names = new Set(lasting.map(({ kind }) => kind.name));
    lasting = next.departures.filter(({ kind }) => names.has(kind.name));
  }
  return lasting;
}

async function* report(see: OperatorView, lasting: readonly Departure[], normalId: string): Step<Conclusion> {
  const [worst] = lasting as readonly [Departure, ...Departure[]]; // the caller has found one
  yield* see.setState('observing', sentence(worst));
  const others =
    lasting.length > 1
      ? ` So did ${lasting
          .slice(1)
          .map(({ kind }) => kind.name)
          .join(', ')}.`
      : '';
  yield* see.notify({
    anomalyType: 'departure-from-normal',
    faultClass: 'baseline.departure',
    severity: 'info',
    title: `${worst.kind.name} left its normal range: ${sentence(worst)}`,
    context: `${WINDOWS} windows of ${vitals.params.seconds} s, against what lens watch learned from ${worst.baseline.count} samples.`,
    observation: `${lasting.map(sentence).join(' ')}`,
    metrics: lasting.map(({ kind, value, baseline }) => ({
      name: kind.name,
      value,
      unit: kind.unit,
      baseline: baseline.median,
    })),
    evidenceIds: [...new Set([normalId, ...see.evidenceIds])],
  });
  return { outcome: 'found', summary: `${sentence(worst)}${others}` };
}

const sentence = ({ kind, value, baseline, z }: Departure): string =>
  `${kind.name} is ${sayMetric(kind, value)}, normal is ${sayMetric(kind, baseline.median)}: ${z.toFixed(1)} deviations (${kind.doc}).`;

/** What got worse than normal, farthest first. */
function departures({ baselines }: Normal, now: Vitals, own: ProcessReading | undefined): Departure[] {
  const values = measured(now, own);
  return METRICS.flatMap(kind => departure(kind, values[kind.name], baselines[kind.name]) ?? []).sort(
    (a, b) => b.z - a.z,
  );
}

function departure(kind: MetricKind, value: number | undefined, baseline: Baseline | undefined): Departure | undefined {
  if (!kind.moreIsWorse || value === undefined || baseline === undefined) return undefined;
  const z = distance(baseline, value, kind.floor / Z);
  return z > Z ? { kind, value, baseline, z } : undefined;
}

const isKnown = ({ baselines }: Normal): boolean => Object.keys(baselines).length > 0;

function numbersOf({ baselines }: Normal, outside: readonly Departure[]): SnapshotData {
  return { metrics: Object.keys(baselines).length, outside: outside.length, farthest: outside[0]?.z ?? 0 };
}

const rowOf = ({ kind, value, baseline, z }: Departure): { [key: string]: Json } => ({
  metric: kind.name,
  value,
  normal: baseline.median,
  deviations: Math.round(z * 10) / 10,
});

async function knownBy(probe: Probe): Promise<Normal | { status: string; reason: string }> {
  const known = await probe.ask('normal', {});
  return isUsable(known) ? known.data : unread(known);
}
