import { z } from 'zod';

const spread = z.object({
  count: z.number().int().positive(),
  mean: z.number(),
  deviation: z.number().nonnegative(),
  p95: z.number(),
});

/** One metric over the windows of one check. */
export type Spread = z.infer<typeof spread>;

/** What `lens check --update-baseline` writes: the last runs, so that a run is compared with how much runs differ. */
export const savedBaselineSchema = z.object({
  schema: z.literal('lens.baseline/1'),
  application: z.string(),
  runs: z
    .array(z.object({ at: z.number(), nodeVersion: z.string(), metrics: z.record(z.string(), spread) }))
    .min(1, 'a baseline needs a run'),
});

export type SavedBaseline = z.infer<typeof savedBaselineSchema>;
export type SavedRun = SavedBaseline['runs'][number];
