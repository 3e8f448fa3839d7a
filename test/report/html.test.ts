import { expect, test } from 'vitest';
import { htmlReport } from '../../src/commands/html-report.js';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { V8CpuProfile } from '../../src/model/evidence/v8-cpu-profile.js';
import { htmlOf } from '../../src/report/html.js';
import type { RunState } from '../../src/report/state.js';
import { evidence, states } from '../tui/world.js';

const run = states.at(states.to);

/** main → hot, nine samples in hot and one in main. */
const profile: V8CpuProfile = {
  nodes: [
    {
      id: 1,
      callFrame: { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
      hitCount: 0,
      children: [2],
    },
    {
      id: 2,
      callFrame: { functionName: 'main', scriptId: '7', url: 'file:///srv/a.mjs', lineNumber: 0, columnNumber: 0 },
      hitCount: 1,
      children: [3],
    },
    {
      id: 3,
      callFrame: {
        functionName: 'hot<script>',
        scriptId: '7',
        url: 'file:///srv/a.mjs',
        lineNumber: 4,
        columnNumber: 0,
      },
      hitCount: 9,
    },
  ],
  startTime: 0,
  endTime: 10_000,
  samples: [2, 3, 3, 3, 3, 3, 3, 3, 3, 3],
  timeDeltas: Array.from({ length: 10 }, () => 1000),
};

const withProfile = (data: unknown): Evidence => ({
  id: 'cpu-profile-1',
  kind: 'cpu-profile',
  takenAt: 0,
  pausedMs: 0,
  costMs: 0,
  status: 'ok',
  data,
});

test('the page needs nothing but itself: no script, no address that a browser would fetch', () => {
  const page = htmlReport(run, [...evidence.values()]);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|<link|<iframe|\bsrc=|url\(|@import/i);
  expect(page).toContain('grows without a limit');
  expect(page).toMatch(/<polyline class="line" points="[\d., ]+"/);
});

test('a cpu profile among the evidence becomes a flame graph with shares', () => {
  const page = htmlReport(run, [withProfile({ profile })]);
  expect(page).toContain('Where the cpu time went (cpu-profile-1)');
  expect(page).toMatch(/<title>hot&lt;script&gt; (8[5-9]|9[0-5]) %<\/title>/);
});

test('evidence that is no profile, as an edited file may be, costs the picture and not the page', () => {
  for (const data of [undefined, null, {}, { profile: null }, { profile: { nodes: [] } }])
    expect(htmlReport(run, [withProfile(data)])).not.toContain('Where the cpu time went');
});

test('what a target wrote cannot become markup', () => {
  const report = run.report!;
  const evil = '<img src=x onerror=alert(1)>"\'`&\u001b[2J';
  const [insight] = report.insights;
  const hostile: RunState = {
    ...run,
    feed: [{ at: 0, who: evil, what: 'noticed', text: evil }],
    report: {
      ...report,
      insights: [{ ...insight!, title: evil, fix: evil, culprit: { file: evil, line: 1, frame: evil, via: [evil] } }],
      target: { ...report.target, command: evil, cwd: evil },
    },
  };
  const page = htmlOf(hostile, { flame: { evidenceId: evil, root: { name: evil, value: 1, children: [] } } });
  expect(page).not.toContain('<img');
  expect(page).not.toContain('\u001b');
});

test('a heapSnapshot that was read becomes retaining paths that unfold, without a script', () => {
  const holder = {
    ...{ kind: 'map', id: 7, class: 'Map', retainedBytes: 2e7, share: 0.6, path: '`sessions` in <b>store.ts' },
    ...{ via: ['module store.ts', 'sessions'], content: { what: 'Session', count: 900, bytes: 1.9e7 } },
  };
  const snapshot: Evidence = {
    ...withProfile({ path: '/x.heapsnapshot', bytes: 1, sha256: '', tookMs: 1, reading: reading([holder]) }),
    ...{ id: 'heap-snapshot-1', kind: 'heap-snapshot' },
  };
  const page = htmlReport(run, [snapshot]);
  expect(page).toMatch(/Who holds the memory \(heap-snapshot-1\)[\s\S]*<details open><summary>19\.1 MB, 60 %/);
  expect(page).toMatch(/<summary>module store\.ts<\/summary><ul><li><details open><summary>sessions/);
  expect(page).toContain('holds 900 × Session');
  expect(page).not.toContain('<b>store');
  expect(htmlReport(run, [{ ...snapshot, data: { edited: true } }])).not.toContain('Who holds the memory');
});

const reading = (suspects: readonly object[]) => ({ totalBytes: 3e7, objects: 1e5, suspects });
