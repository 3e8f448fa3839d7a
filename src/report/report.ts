import { sayMs } from '../base/say.js';
import type { Disturbance, Report, Verdict } from '../model/report.js';
import type { TargetInfo } from '../model/target.js';
import type { RunState } from './state.js';

const NOBODY: TargetInfo = { pid: 0, nodeVersion: 'unknown', command: '', cwd: '', platform: '' };

/** The finished run as the contract with the outside says it (lens.report/1). */
export function reportOf(state: RunState, verdict: Verdict, finishedAt: number): Report {
  return {
    schema: 'lens.report/1',
    lens: { version: state.lens },
    run: {
      id: state.runId,
      reason: state.reason,
      startedAt: state.startedAt,
      finishedAt,
      planner: state.planner,
      ...(state.model && { model: state.model.models.join(', '), usage: state.model }),
    },
    target: state.target ?? NOBODY,
    verdict,
    summary: summaryOf(state, verdict),
    insights: state.insights,
    operators: state.operators.flatMap(o => (o.result ? [o.result] : [])),
    notifications: state.notifications,
    inconclusive: inconclusiveOf(state),
    failures: state.failures,
    disturbance: disturbanceOf(state),
    artifacts: state.artifacts,
    detached: state.detached ?? { inspectorClosed: false, residue: [] },
  };
}

function summaryOf(state: RunState, verdict: Verdict): string {
  const [first, ...others] = state.insights.filter(i => i.severity !== 'info');
  if (first)
    return first.title + (others.length > 0 ? ` And ${others.length} more: ${others.map(i => i.title).join(' ')}` : '');
  if (state.lost) return `The target was lost before a conclusion: ${state.lost}`;
  if (verdict === 'inconclusive') return 'Not enough could be seen to call this process healthy or sick.';
  const seen = state.operators.find(o => o.id === 'runtime')?.result?.summary;
  return `No fault found.${seen ? ` ${seen}` : ''}`;
}

/** What a reader must not take for "fine": refused and failed readings, operators cut off or without an answer. */
function inconclusiveOf(state: RunState): string[] {
  const readings = state.readings
    .filter(r => r.status === 'refused' || r.status === 'unavailable')
    .map(r => `${r.kind}: ${r.status}${r.reason ? `: ${r.reason}` : ''}`);
  const operators = state.operators.flatMap(({ result }) =>
    result && (result.incomplete || result.outcome === 'inconclusive') ? [`${result.skill}: ${result.summary}`] : [],
  );
  const lost = state.lost ? [`The target was lost: ${state.lost}`] : [];
  return [...new Set([...lost, ...operators, ...readings, ...state.leftOut])];
}

function disturbanceOf(state: RunState): Disturbance {
  const paused = state.readings.filter(r => r.pausedMs > 0);
  return {
    pausedMs: round(sum(paused.map(r => r.pausedMs))),
    longestPauseMs: round(Math.max(0, ...paused.map(r => r.longestPauseMs ?? r.pausedMs))),
    targetCpuMs: round(sum(state.readings.map(r => r.costMs))),
    readings: paused.map(r => ({ kind: r.kind, pausedMs: round(r.pausedMs) })),
  };
}

/** The disturbance as one sentence for people. */
export function sayDisturbance(d: Disturbance): string {
  if (d.pausedMs === 0) return 'The target was never stopped.';
  return `The target stood still for ${sayMs(d.pausedMs)} in all, ${sayMs(d.longestPauseMs)} at most at once, over ${d.readings.length} readings.`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
