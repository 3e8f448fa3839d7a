import { join } from 'node:path';
import { z } from 'zod';
import type { Baseline } from '../base/normal.js';
import type { Alert } from '../model/watch-event.js';
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

const schema = z.object({
  schema: z.literal('lens.watch/1'),
  application: z.string(),
  baselines: z.record(z.string(), baseline),
  open: z.array(alert),
});

/** What lens knows of an application from one watch to the next. */
export interface Remembered {
  readonly baselines: ReadonlyMap<string, Baseline>;
  /** Alerts that burnt when lens left: they were told already. */
  readonly open: readonly Alert[];
}

const NOTHING: Remembered = { baselines: new Map(), open: [] };

/** One file an application below `home`; what can't be read is learned anew. */
export function recall(home: string, key: string): Remembered {
  try {
    const { baselines, open } = schema.parse(readJsonFile(fileOf(home, key)));
    // zod makes an absent field `undefined`; JSON has none of those.
    return { baselines: new Map(Object.entries(baselines)), open: open as readonly Alert[] };
  } catch {
    return NOTHING;
  }
}

export function remember(home: string, key: string, application: string, { baselines, open }: Remembered): void {
  const content = { schema: 'lens.watch/1', application, baselines: Object.fromEntries(baselines), open };
  writeJsonFile(fileOf(home, key), content);
}

const fileOf = (home: string, key: string): string => join(home, `${key.replace(/[^\w-]/g, '_')}.json`);
