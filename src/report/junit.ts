import type { Insight } from '../model/insight.js';
import type { OperatorResult, Report } from '../model/report.js';

/** JUnit XML: a test case per operator; its findings are failures, not having been able to look is an error. */
export function junitOf(report: Report): string {
  const cases = report.operators.map(operator => caseOf(operator, report));
  const failures = cases.filter(c => c.includes('<failure')).length;
  const errors = cases.filter(c => c.includes('<error')).length;
  const seconds = ((report.run.finishedAt - report.run.startedAt) / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lens" tests="${cases.length}" failures="${failures}" errors="${errors}" time="${seconds}">`,
    `  <testsuite name="${xml(report.target.name ?? report.target.command)}" tests="${cases.length}" failures="${failures}" errors="${errors}" time="${seconds}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseOf(operator: OperatorResult, report: Report): string {
  const open = `    <testcase classname="lens" name="${xml(operator.skill)}" time="${(operator.durationMs / 1000).toFixed(3)}"`;
  const found = report.insights.filter(i => i.severity !== 'info' && isOf(i, operator));
  const body = [...found.map(failureOf), ...(found.length === 0 && isOpen(operator) ? [errorOf(operator)] : [])];
  return body.length === 0 ? `${open}/>` : [`${open}>`, ...body, '    </testcase>'].join('\n');
}

function isOf(insight: Insight, operator: OperatorResult): boolean {
  const first = insight.notificationIds[0];
  return first !== undefined && operator.notificationIds.includes(first);
}

function isOpen(operator: OperatorResult): boolean {
  return operator.incomplete || operator.outcome === 'inconclusive';
}

function failureOf(insight: Insight): string {
  const where = insight.culprit ? `${insight.culprit.file}:${insight.culprit.line}` : 'no place';
  const text = [insight.summary, where, insight.fix ?? ''].join('\n');
  return `      <failure type="${xml(insight.faultClass)}" message="${xml(insight.title)}">${xml(text)}</failure>`;
}

function errorOf(operator: OperatorResult): string {
  return `      <error type="inconclusive" message="${xml(operator.summary)}"/>`;
}

const ENTITY: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no way to write most control characters: they are left out. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are meant
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function xml(text: string): string {
  return text.replace(UNWRITABLE, '').replace(/[&<>"']/g, char => ENTITY[char] ?? '');
}
