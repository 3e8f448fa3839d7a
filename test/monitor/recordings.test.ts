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

/** A recording has a reading a second, a watch one every 30 s. */
const SECONDS = STEP / 1000;
/** Readings in their real order, two minutes of them, before the day goes on elsewhere in the recording. */
const BLOCK = 4;

/** What one reading of 30 s would have been: means of its seconds, the longest of what is a maximum. */
function windowOf(rows: readonly Measures[]): Measures {
  const names = new Set(rows.flatMap(row => Object.keys(row)));
  return Object.fromEntries(
    [...names].map(name => {
      const values = rows.flatMap(row => row[name] ?? []);
      const longest = /longest|delayMax/.test(name);
      return [name, longest ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}

/** Two hours to learn and a day to watch, every 30 s: blocks of the recording in their real order, begun at random. */
function* day(rows: readonly Measures[], seed: number): Generator<{ readonly at: number; readonly values: Measures }> {
  let random = seed;
  let from = 0;
  for (let at = 0; at < 26 * HOUR; at += STEP) {
    random = (random * 16_807) % 2_147_483_647;
    from = (at / STEP) % BLOCK === 0 ? random % rows.length : from + SECONDS;
    yield { at, values: windowOf(Array.from({ length: SECONDS }, (_, i) => rows[(from + i) % rows.length] ?? {})) };
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
