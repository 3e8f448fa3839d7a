import { Command } from 'commander';
import { verdictOf } from '../coordinator/verdict.js';
import type { Report } from '../model/report.js';
import { reportOf } from '../report/report.js';
import { readRun } from '../stores/recorded-run.js';
import { runsHome } from '../stores/run-directory.js';
import { fitMarkdown } from './fit-markdown.js';
import { OUTPUT_FORMATS, type Output, parseOutput, render, writeOutput } from './output.js';
import { pageOfRun } from './recorded-page.js';
import { endOf } from './recorded-state.js';

/** Renders a recorded run again; one that was cut off gets the report of what it had. */
export function reportCommand(): Command {
  return new Command('report')
    .description('render a recorded run again')
    .argument('<run>', 'a run directory, its run.ndjson, or a run id')
    .option('--json', 'as JSON')
    .option(
      '--output <fmt=file>',
      `write it: ${OUTPUT_FORMATS.join(', ')}`,
      (text: string, before: readonly Output[]) => [...before, parseOutput(text)],
      [],
    )
    .action((run: string, options: { json?: boolean; output: readonly Output[] }) => {
      const report = reportFrom(run);
      for (const output of options.output) writeOutput(report, output, done => pageOfRun(run, done));
      if (options.output.length === 0)
        process.stdout.write(
          options.json ? render(report, 'json') : fitMarkdown(render(report, 'md'), process.stdout.columns),
        );
    });
}

function reportFrom(run: string): Report {
  const state = endOf(readRun(run, runsHome(process.env)));
  const results = state.operators.flatMap(o => (o.result ? [o.result] : []));
  return state.report ?? reportOf(state, verdictOf(state.insights, results, true), state.lastAt);
}
