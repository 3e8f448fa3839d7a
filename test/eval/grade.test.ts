import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Insight } from '../../src/model/insight.js';
import type { Report } from '../../src/model/report.js';
import type { Case } from './case.js';
import { CASES } from './cases.js';
import { grade } from './grade.js';
import type { LensRun } from './lens.js';
import { type MarkedLine, readMarks } from './truth.js';

let folder: string;
let marks: MarkedLine[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eval-marks-'));
  const source = [
    'const kept = new Map(); // @culprit',
    '',
    'work();',
    '',
    '',
    'cache.set(1); // @innocent',
    'spin(); // @second',
  ];
  writeFileSync(join(folder, 'store.js'), source.join('\n'));
  marks = readMarks(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const leak: Case = { app: 'any', truths: [{ mark: 'culprit', classes: ['memory.leak.collection'] }] };
const both: Case = { app: 'any', truths: [...leak.truths, { mark: 'second', classes: ['cpu.busy-loop'] }] };
const well: Case = { app: 'any', truths: [] };

const insight = (more: Partial<Insight> = {}): Insight => ({
  ...{
    id: 'i1',
    rank: 1,
    title: 'grows',
    faultClass: 'memory.leak.collection',
    severity: 'warning',
    confidence: 'high',
  },
  ...{
    correlation: 'causal',
    summary: '',
    matchedObservations: [],
    grounded: true,
    notificationIds: [],
    evidenceIds: ['e1'],
  },
  culprit: { file: 'store.js', line: 1 },
  ...more,
});

function said(insights: Insight[], verdict: Report['verdict'] = 'warning'): LensRun {
  const report = { verdict, insights, summary: '', failures: [], detached: { inspectorClosed: true, residue: [] } };
  return {
    report: report as unknown as Report,
    exitCode: 0,
    seconds: 1,
    stderr: '',
    peakBytes: 0,
    evidenceIds: new Set(['e1']),
  }; // only what is graded
}

test('class, file and line of the first insight make a right answer', () => {
  expect(grade(leak, said([insight()]), marks)).toMatchObject({ right: true, falseAlarms: [], flaws: [] });
});

test('the right class at another line is wrong, and so is the right line with another class', () => {
  expect(grade(leak, said([insight({ culprit: { file: 'store.js', line: 4 } })]), marks)).toMatchObject({
    right: false,
    fileRight: true,
  });
  expect(grade(leak, said([insight({ faultClass: 'cpu.hot' })]), marks)).toMatchObject({
    right: false,
    lineRight: true,
  });
});

test('the truth in second place is not a right first insight', () => {
  const other = insight({ rank: 1, faultClass: 'cpu.hot', culprit: { file: 'store.js', line: 3 } });
  expect(grade(leak, said([other, insight({ rank: 2 })]), marks).right).toBe(false);
});

test('of two faults both must be among the first two', () => {
  const second = insight({ rank: 2, faultClass: 'cpu.busy-loop', culprit: { file: 'store.js', line: 7 } });
  expect(grade(both, said([insight(), second]), marks).right).toBe(true);
  expect(grade(both, said([insight()]), marks).right).toBe(false);
});

test('blaming a line marked innocent spoils a right answer', () => {
  const blame = insight({ rank: 2, culprit: { file: 'store.js', line: 6 } });
  expect(grade(leak, said([insight(), blame]), marks)).toMatchObject({
    right: false,
    falseAlarms: [expect.stringContaining('store.js:6')],
  });
});

test('a warning on a healthy program is a false alarm; a note is not; not knowing is not health', () => {
  expect(grade(well, said([insight()]), marks)).toMatchObject({ right: false, falseAlarms: [expect.any(String)] });
  expect(grade(well, said([insight({ severity: 'info' })], 'observing'), marks)).toMatchObject({
    right: true,
    falseAlarms: [],
  });
  expect(grade(well, said([], 'inconclusive'), marks)).toMatchObject({ right: false, falseAlarms: [] });
});

test('evidence that is cited and not in the run log is a flaw', () => {
  expect(grade(leak, said([insight({ evidenceIds: ['e1', 'e9'] })]), marks).flaws).toEqual([
    "evidence e9 is cited and doesn't exist",
  ]);
});

test('every sick case has marked lines to be graded by, and every case a world', () => {
  const apps = new URL('../../fixtures/apps/', import.meta.url).pathname;
  for (const one of CASES) {
    const own = readMarks(join(apps, one.app)).map(({ mark }) => mark);
    for (const truth of one.truths) if (!truth.anywhere) expect(own, one.app).toContain(truth.mark);
  }
  expect(new Set(CASES.map(one => one.app)).size).toBe(CASES.length);
});
