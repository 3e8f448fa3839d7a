import type { Insight } from '../model/insight.js';
import type { CodeLocation } from '../model/location.js';
import type { Report } from '../model/report.js';

const LEVEL = { critical: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0: one rule per fault class, one result per insight. Rule ids and fingerprints are stable across runs. */
export function sarifOf(report: Report): string {
  const log = {
    version: '2.1.0',
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    runs: [
      {
        tool: { driver: { name: 'lens', version: report.lens.version, rules: rulesOf(report) } },
        results: report.insights.map(insight => resultOf(insight, report)),
        invocations: [
          {
            executionSuccessful: report.verdict !== 'inconclusive',
            toolExecutionNotifications: report.inconclusive.map(note),
          },
        ],
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

const ruleId = (insight: Insight): string => `lens/${insight.faultClass}`;

function rulesOf(report: Report): object[] {
  return [...new Set(report.insights.map(ruleId))].map(id => ({
    id,
    shortDescription: { text: id.slice('lens/'.length) },
  }));
}

function resultOf(insight: Insight, report: Report): object {
  const where = insight.culprit;
  return {
    ruleId: ruleId(insight),
    level: LEVEL[insight.severity],
    message: { text: insight.fix ? `${insight.title} ${insight.fix}` : insight.title },
    locations: [locationOf(where ?? { file: entryOf(report), line: 1 })],
    relatedLocations: (insight.related ?? []).map((place, id) => ({ id, ...locationOf(place) })),
    partialFingerprints: {
      'lensCause/v1': `${insight.faultClass}:${where?.file ?? ''}:${where?.function ?? where?.line ?? ''}`,
    },
  };
}

/** A runtime finding may have no line; SARIF readers want one, so the program's entry stands in. */
function entryOf(report: Report): string {
  const { entry, cwd } = report.target;
  if (!entry) return 'package.json';
  return cwd && entry.startsWith(`${cwd}/`) ? entry.slice(cwd.length + 1) : entry;
}

function locationOf(at: CodeLocation): object {
  const uri = at.file.startsWith('/') ? `file://${encodeURI(at.file)}` : encodeURI(at.file);
  return {
    physicalLocation: {
      artifactLocation: { uri },
      region: { startLine: at.line, ...(at.column === undefined ? {} : { startColumn: at.column }) },
    },
    ...(at.function === undefined ? {} : { logicalLocations: [{ name: at.function, kind: 'function' }] }),
  };
}

function note(text: string): object {
  return { level: 'warning', message: { text } };
}
