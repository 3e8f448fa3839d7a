import type { ErrorCode, LensError } from '../model/error.js';
import type { Report } from '../model/report.js';

/** What scripts may rely on; the same table stands in the README. */
export const EXIT = {
  done: 0,
  found: 1,
  usage: 2,
  inconclusive: 3,
  modelUnavailable: 4,
  cannotAttach: 5,
  targetLost: 6,
  bug: 70,
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
} as const;

export type FailOn = 'warning' | 'critical' | 'never';

const USAGE: readonly ErrorCode[] = ['usage', 'file-unreadable', 'file-malformed'];

export function exitOfError(error: LensError): number {
  if (USAGE.includes(error.code)) return EXIT.usage;
  if (error.code === 'model-unavailable') return EXIT.modelUnavailable;
  if (error.code === 'target-lost') return EXIT.targetLost;
  if (error.code === 'storage') return EXIT.inconclusive;
  return EXIT.cannotAttach;
}

/** Findings first, then a lost target: a report that names the cause of a death is worth more than the death. */
export function exitOfReport(report: Report, failOn: FailOn, lost: boolean): number {
  const failing: readonly string[] =
    failOn === 'never' ? [] : failOn === 'warning' ? ['warning', 'critical'] : ['critical'];
  if (lost) return EXIT.targetLost;
  if (failing.includes(report.verdict)) return EXIT.found;
  return report.verdict === 'inconclusive' ? EXIT.inconclusive : EXIT.done;
}
