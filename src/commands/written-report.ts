import type { Evidence } from '../model/evidence/index.js';
import { markdownOf } from '../report/markdown.js';
import type { RunState } from '../report/state.js';
import type { EvidenceSection, EvidenceView, TreeNode } from '../tui/world.js';
import { htmlReport } from './html-report.js';

const NAME = 'lens-report';
/** Lines of one pinned piece: a report is read, the evidence files hold the rest. */
const MAX_PINNED_LINES = 60;

/** Writes lens-report.md and lens-report.html into the current folder; says what was done, for a notice. */
export function writeReports(
  run: RunState,
  pinned: readonly EvidenceView[],
  evidence: readonly Evidence[],
  write: (path: string, text: string) => void,
): string {
  if (!run.report) return 'There is no report yet.';
  try {
    write(`${NAME}.md`, markdownOf(run.report) + pinnedMarkdown(pinned));
    write(`${NAME}.html`, htmlReport(run, evidence));
    return `Written: ${NAME}.md and ${NAME}.html.`;
  } catch (error) {
    return `The report could not be written: ${(error as Error).message}`;
  }
}

function pinnedMarkdown(views: readonly EvidenceView[]): string {
  if (views.length === 0) return '';
  const parts = views.map(view => {
    const lines = view.sections.flatMap(section => [section.title, ...plainLines(section), '']);
    return `### ${view.title}\n\n\`\`\`\n${lines.slice(0, MAX_PINNED_LINES).join('\n').trimEnd()}\n\`\`\``;
  });
  return `\n## Pinned evidence\n\n${parts.join('\n\n')}\n`;
}

/** A section as plain lines, for files and for terminals that only print. */
export function plainLines(section: EvidenceSection): string[] {
  switch (section.kind) {
    case 'text':
      return [...section.lines];
    case 'table':
      return [section.columns, ...section.rows].map(row => row.join('  '));
    case 'curve':
      return section.series.map(s => `${s.name}: ${s.said}`);
    case 'tree':
      return section.roots.flatMap(root => treeLines(root, 0));
    case 'flame':
      return ['(a picture: see the HTML report)'];
    default:
      return section satisfies never;
  }
}

function treeLines({ label, children }: TreeNode, depth: number): string[] {
  return ['  '.repeat(depth) + label, ...children.flatMap(child => treeLines(child, depth + 1))];
}
