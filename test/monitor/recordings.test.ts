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

/**
 * Two hours to learn and a day to watch, every 30 s. A recording has a reading a second: what lasted some seconds in it
 * must not last minutes in the day, so each moment of the day is a moment of the recording by itself.
 */
function* day(rows: readonly Measures[], seed: number): Generator<{ readonly at: number; readonly values: Measures }> {
  let random = seed;
  for (let at = 0; at < 26 * HOUR; at += STEP) {
    random = (random * 16_807) % 2_147_483_647;
    yield { at, values: rows[random % rows.length] ?? {} };
  }
}

const OPTIONS = {
  ...{ rules: DEFAULT_RULES, detector: DETECTOR_DEFAULTS, policy: ALERT_POLICY },
  ...{ retentionMs: 24 * HOUR, maxSamples: 2_880 },
};

test.each(readdirSync(HERE))('a day of %s, recorded while it was well, makes no alert', file => {
  const rows = rowsOf(JSON.parse(readFileSync(join(HERE, file), 'utf8')));
  expect(rows.length).toBeGreaterThan(80);
  for (const seed of [7, 77]) {
    const monitor = new TargetMonitor('app', OPTIONS);
    const news = [...day(rows, seed)].flatMap(({ at, values }) => monitor.observe(values, at));
    expect(news.map(({ kind, alert }) => `${kind} ${alert.title}`)).toEqual([]);
  }
});
