import { METRICS, metricKind, type Unit } from '../model/vital-metrics.js';

/** A limit on one metric, as a person wrote it. */
export interface Threshold {
  readonly metric: string;
  readonly comparison: 'above' | 'below';
  readonly limit: number;
  readonly text: string;
}

const FACTORS: { readonly [U in Unit]: { readonly [suffix: string]: number } } = {
  bytes: { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 },
  ms: { '': 1, ms: 1, s: 1000 },
  share: { '': 1, '%': 0.01 },
  percent: { '': 1, '%': 1 },
  count: { '': 1 },
};

/** `loop.delayP99Ms>50ms`, `memory.rssBytes>512MB`, `heap.limitShare>80%`; else a sentence that says what is wrong. */
export function parseThreshold(text: string): Threshold | { readonly problem: string } {
  const parts = /^\s*([\w.]+)\s*([<>])\s*([\d.]+)\s*([a-z%]*)\s*$/i.exec(text);
  if (!parts) return { problem: `“${text}” is not METRIC>LIMIT, for example loop.delayP99Ms>50ms.` };
  const [, metric = '', sign, digits, suffix = ''] = parts;
  const kind = metricKind(metric);
  if (!kind) return { problem: `There is no metric “${metric}”. There are: ${namesNear(metric)}.` };
  const factor = FACTORS[kind.unit][suffix.toLowerCase()];
  const limit = Number(digits) * (factor ?? Number.NaN);
  if (!Number.isFinite(limit)) return { problem: `“${digits}${suffix}” is not a limit in ${kind.unit}.` };
  return { metric, comparison: sign === '>' ? 'above' : 'below', limit, text: text.trim() };
}

/** Those of its group; of a group that is none, the groups. */
function namesNear(metric: string): string {
  const [group = ''] = metric.split('.');
  const names = METRICS.map(({ name }) => name);
  const near = names.filter(name => name.startsWith(`${group}.`));
  return (near.length > 0 ? near : [...new Set(names.map(name => name.replace(/\..*/, '.…')))]).join(', ');
}

export function crosses({ comparison, limit }: Pick<Threshold, 'comparison' | 'limit'>, value: number): boolean {
  return comparison === 'above' ? value > limit : value < limit;
}
