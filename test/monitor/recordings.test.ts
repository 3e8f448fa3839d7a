import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Measures } from '../../src/model/watch-event.js';
import { ALERT_POLICY } from '../../src/monitor/alert-book.js';
import { DETECTOR_DEFAULTS } from '../../src/monitor/detector.js';
import { DEFAULT_RULES } from '../../src/monitor/rules.js';
import { TargetMonitor } from '../../src/monitor/target-monitor.js';

const HERE = join(import.meta.dirname, 'recordings');
const HOUR = 3_600_000;
const STEP = 30_000;
/** Readings of a moment stay together: a day is made of pieces of the recording, in an order of its own. */
const PIECE = 10;
/** A recording begins with what is no part of a day: a program that has just started compiles and fills its caches. */
const WARM = 40;

type Recording = { readonly [metric: string]: readonly (number | null)[] };

const rowsOf = (recording: Recording): Measures[] =>
  Array.from({ length: Object.values(recording)[0]?.length ?? 0 }, (_, i) =>
    Object.fromEntries(
      Object.entries(recording).flatMap(([metric, column]) => {
        const value = column[i];
        return value === null || value === undefined ? [] : [[metric, value] as const];
      }),
    ),
  ).slice(WARM);

/** Two hours to learn and a day to watch, every 30 s. */
function* day(rows: readonly Measures[]): Generator<{ readonly at: number; readonly values: Measures }> {
  let seed = 7;
  let from = 0;
  for (let i = 0; i * STEP < 26 * HOUR; i++) {
    seed = (seed * 16_807) % 2_147_483_647;
    if (i % PIECE === 0) from = seed % (rows.length - PIECE);
    yield { at: i * STEP, values: rows[from + (i % PIECE)] ?? {} };
  }
}

const OPTIONS = {
  ...{ rules: DEFAULT_RULES, detector: DETECTOR_DEFAULTS, policy: ALERT_POLICY },
  ...{ retentionMs: 24 * HOUR, maxSamples: 2_880 },
};

test.each(readdirSync(HERE))('a day of %s, recorded while it was well, makes no alert', file => {
  const monitor = new TargetMonitor('app', OPTIONS);
  const rows = rowsOf(JSON.parse(readFileSync(join(HERE, file), 'utf8')));
  expect(rows.length).toBeGreaterThan(80);
  const news = [...day(rows)].flatMap(({ at, values }) => monitor.observe(values, at));
  expect(news.map(({ kind, alert }) => `${kind} ${alert.title}`)).toEqual([]);
});
