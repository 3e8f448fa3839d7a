import type { Report } from '../model/report.js';
import { initialState, reduce } from '../report/state.js';
import { readRun } from '../stores/recorded-run.js';
import { runsHome } from '../stores/run-directory.js';
import { htmlReport } from './html-report.js';
import { evidenceOf } from './recorded-evidence.js';
import { withSampledVitals } from './recorded-vitals.js';

/** A recorded run (a directory, a run.ndjson or an id) with its report as one self-contained page. */
export function pageOfRun(run: string, report: Report): string {
  const recorded = readRun(run, runsHome(process.env));
  const evidence = evidenceOf(recorded);
  const state = withSampledVitals(recorded.events, evidence).reduce(reduce, initialState);
  return htmlReport({ ...state, report }, [...evidence.values()]);
}
