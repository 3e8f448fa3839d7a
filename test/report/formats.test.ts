import { expect, test } from 'vitest';
import type { Report } from '../../src/model/report.js';
import { reportSchema } from '../../src/model/report-schema.js';
import { annotationsOf, stepSummaryOf } from '../../src/report/github.js';
import { junitOf } from '../../src/report/junit.js';
import { markdownOf } from '../../src/report/markdown.js';
import { sarifOf } from '../../src/report/sarif.js';

const report: Report = {
  schema: 'lens.report/1',
  lens: { version: '0.1.0' },
  run: { id: 'r', reason: 'high memory', startedAt: 0, finishedAt: 26_000, planner: 'rules' },
  target: {
    pid: 7,
    nodeVersion: 'v20.0.0',
    command: 'node src/server.js',
    entry: '/app/src/server.js',
    cwd: '/app',
    platform: 'linux',
  },
  verdict: 'warning',
  summary: '`sessions` grows.',
  insights: [
    {
      id: 'insight-1',
      rank: 1,
      title: '`sessions` grows by 12 entries/s, 50% of them & never deleted.',
      faultClass: 'memory.leak.collection',
      severity: 'warning',
      confidence: 'high',
      correlation: 'symptomatic',
      summary: 'It grew.',
      matchedObservations: ['It grew from 10 to 250 entries.'],
      grounded: true,
      culprit: { file: 'src/store.ts', line: 12, function: 'remember', frame: '> 12 | const sessions = new Map();' },
      fix: 'Delete a session when it ends.',
      notificationIds: ['notification-1'],
      evidenceIds: ['collection-growth-1'],
    },
  ],
  operators: [
    {
      skill: 'heap',
      state: 'warning',
      outcome: 'found',
      summary: 'It grew.',
      iterations: 4,
      incomplete: false,
      durationMs: 25_000,
      notificationIds: ['notification-1'],
    },
    {
      skill: 'cpu',
      state: 'healthy',
      outcome: 'healthy',
      summary: 'Idle at 2 %.',
      iterations: 2,
      incomplete: false,
      durationMs: 5000,
      notificationIds: [],
    },
    {
      skill: 'gc',
      state: 'healthy',
      outcome: 'inconclusive',
      summary: 'Cut <off>.',
      iterations: 2,
      incomplete: true,
      durationMs: 5000,
      notificationIds: [],
    },
  ],
  notifications: [],
  inconclusive: ['heap-sampling: refused: too long'],
  failures: [],
  disturbance: {
    pausedMs: 40,
    longestPauseMs: 30,
    targetCpuMs: 60,
    readings: [{ kind: 'collection-growth', pausedMs: 30 }],
  },
  artifacts: [],
  detached: { inspectorClosed: true, residue: [] },
};

test('the sample is a report by the published schema', () => {
  expect(reportSchema.safeParse(report).error).toBeUndefined();
});

test('Markdown says cause, place and fix in its first lines', () => {
  const lines = markdownOf(report).split('\n');
  expect(lines[0]).toContain('`sessions` grows by 12 entries/s');
  expect(lines[2]).toBe('**Where:** remember (src/store.ts:12)');
  expect(lines[4]).toBe('**Fix:** Delete a session when it ends.');
});

test('Markdown tells fine from not looked at', () => {
  const text = markdownOf(report);
  const fine = text.slice(text.indexOf('found fine'), text.indexOf('Not looked at'));
  expect(fine).toContain('Idle at 2 %');
  expect(fine).not.toContain('Cut <off>');
  expect(text).toContain('heap-sampling: refused: too long');
});

test('SARIF points at the line with a stable rule id and fingerprint', () => {
  const { runs } = JSON.parse(sarifOf(report));
  const [result] = runs[0].results;
  expect(result).toMatchObject({ ruleId: 'lens/memory.leak.collection', level: 'warning' });
  expect(result.locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'src/store.ts' },
    region: { startLine: 12 },
  });
  expect(result.partialFingerprints['lensCause/v1']).toBe('memory.leak.collection:src/store.ts:remember');
});

test('an insight without a place falls back to the entry file, because SARIF readers want a line', () => {
  const { culprit: _gone, ...nowhere } = report.insights[0] as Report['insights'][0];
  const { runs } = JSON.parse(sarifOf({ ...report, insights: [nowhere] }));
  expect(runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('src/server.js');
});

test('JUnit: a finding is a failure, not having looked is an error, text is escaped', () => {
  const text = junitOf(report);
  expect(text).toContain('tests="3" failures="1" errors="1"');
  expect(text).toContain('50% of them &amp; never deleted');
  expect(text).toContain('message="Cut &lt;off&gt;."');
});

test('GitHub annotations escape what the runner would read as its own', () => {
  expect(annotationsOf(report)).toBe(
    '::warning file=src/store.ts,line=12,title=lens%3A memory.leak.collection::`sessions` grows by 12 entries/s, 50%25 of them & never deleted.%0ADelete a session when it ends.\n',
  );
});

test('a step summary stays under the limit and ends at a line', () => {
  const huge = {
    ...report,
    inconclusive: Array.from({ length: 40_000 }, (_, i) => `reading ${i} was refused because of the budget`),
  };
  const text = stepSummaryOf(huge);
  expect(text.length).toBeLessThan(1_000_000);
  expect(text.endsWith("in the run's folder.\n")).toBe(true);
});
