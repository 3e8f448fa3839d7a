import type { SnapshotData } from '../model/snapshot.js';

/** One number of one moment. `name` is dotted: `heap.usedBytes`; labels tell twins apart (pid, target, worker). */
export interface MetricSample {
  readonly name: string;
  readonly value: number;
  readonly labels: { readonly [key: string]: string };
  readonly at: number;
}

/** A snapshot's numbers as metrics `skill.path.to.number`. What is not a number gives none: a word is not 0. */
export function metricsOf(
  skill: string,
  data: SnapshotData,
  at: number,
  labels: MetricSample['labels'],
): MetricSample[] {
  const found: MetricSample[] = [];
  visit(skill, data);
  return found;

  function visit(name: string, value: unknown): void {
    if (typeof value === 'number' && Number.isFinite(value)) found.push({ name, value, labels, at });
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) visit(`${name}.${key}`, inner);
  }
}

/** One series' name: metric and labels in a stable order. */
export function seriesKey({ name, labels }: Pick<MetricSample, 'name' | 'labels'>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? name : `${name}{${pairs.map(([k, v]) => `${k}=${v}`).join(',')}}`;
}
