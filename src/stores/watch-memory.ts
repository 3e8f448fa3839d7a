import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Baseline } from '../base/normal.js';
import type { Alert, AlertEventBody } from '../model/watch-event.js';
import { readJsonFile, writeJsonFile } from './json-file.js';

const baseline = z.object({
  count: z.number(),
  mean: z.number(),
  deviation: z.number(),
  median: z.number(),
  robustDeviation: z.number(),
  p95: z.number(),
  p98: z.number(),
  p99: z.number(),
  emaMean: z.number(),
  emaVariance: z.number(),
  updatedAt: z.number(),
}) satisfies z.ZodType<Baseline>;

const alert = z.object({
  fingerprint: z.string(),
  kind: z.enum(['limit', 'anomaly', 'forecast']),
  rule: z.string(),
  metric: z.string(),
  level: z.enum(['warning', 'critical']),
  title: z.string(),
  value: z.number(),
  normal: z.number(),
  z: z.number().optional(),
  firedAt: z.number(),
  count: z.number(),
});

const numbers = z.record(z.string(), z.number());
const target = z.object({ name: z.string(), fingerprint: z.string(), pid: z.number(), twin: z.number().optional() });
const pending = z.discriminatedUnion('type', [
  z.object({ type: z.literal('alert.fired'), target, alert, snapshot: numbers }),
  z.object({ type: z.literal('alert.escalated'), target, alert }),
  z.object({ type: z.literal('alert.resolved'), target, alert }),
]);

const schema = z.object({
  schema: z.literal('lens.watch/1'),
  application: z.string(),
  baselines: z.record(z.string(), baseline),
  open: z.array(alert),
  pending: z.array(pending).optional(),
});

/** What lens knows of an application from one watch to the next. */
export interface Remembered {
  readonly baselines: ReadonlyMap<string, Baseline>;
  /** Alerts that burnt when lens left: they were told already. */
  readonly open: readonly Alert[];
  /** What is being told right now: in a file that a lens left behind, some sinks have it and others not. */
  readonly pending: readonly AlertEventBody[];
}

const NOTHING = { application: '', baselines: new Map(), open: [], pending: [] } as const;

/** One file an application below `home`; what can't be read is learned anew. */
export function recall(home: string, key: string): Remembered & { readonly application: string } {
  try {
    const { application, baselines, open, pending = [] } = schema.parse(readJsonFile(fileOf(home, key)));
    // zod makes an absent field `undefined`; JSON has none of those.
    const told = { open: open as readonly Alert[], pending: pending as readonly AlertEventBody[] };
    return { application, baselines: new Map(Object.entries(baselines)), ...told };
  } catch {
    return NOTHING;
  }
}

export function remember(home: string, key: string, application: string, { baselines, ...told }: Remembered): void {
  const content = { schema: 'lens.watch/1', application, baselines: Object.fromEntries(baselines), ...told };
  writeJsonFile(fileOf(home, key), content);
}

/**
 * Written down first, then told, then crossed out: what a lens that is killed in between has not told yet, the next one
 * tells (tellUntold). Nothing else runs until then, so that no sink can have taken any of it yet.
 */
export function tellSafely(
  told: readonly AlertEventBody[],
  save: (pending: readonly AlertEventBody[]) => void,
  emit: (event: AlertEventBody) => void,
): void {
  save(told);
  for (const event of told) emit(event);
  save([]);
}

/**
 * Hands over what lenses that were killed were about to tell, and crosses it out once `tell` has returned: killed here
 * too, lens tells it again the next time, to those that don't have it.
 */
export function tellUntold(home: string, tell: (events: readonly AlertEventBody[]) => void): void {
  const keys = readdirSync(home).flatMap(name => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []));
  const left = keys.map(key => ({ key, ...recall(home, key) })).filter(({ pending }) => pending.length > 0);
  tell(left.flatMap(({ pending }) => pending));
  for (const { key, application, ...known } of left) remember(home, key, application, { ...known, pending: [] });
}

const fileOf = (home: string, key: string): string => join(home, `${key.replace(/[^\w-]/g, '_')}.json`);
