import { sayBytes, sayCount, sayMs, sayShare } from '../base/say.js';
import type { Insight } from '../model/insight.js';
import type { CodeLocation } from '../model/location.js';
import type { Report } from '../model/report.js';
import { escapeHtml as esc } from './escape-html.js';
import type { FlameNode } from './flame.js';
import { chartSvg, flameSvg, timelineSvg } from './html-pictures.js';
import { HTML_STYLE } from './html-style.js';
import { place } from './markdown.js';
import { sayDisturbance } from './report.js';
import type { RunState } from './state.js';

export interface HtmlExtras {
  /** The newest CPU profile of the run. */
  readonly flame?: { readonly evidenceId: string; readonly root: FlameNode };
  /** Who holds the memory, from the newest heapSnapshot that was read: a root each, the path that keeps it below. */
  readonly holders?: { readonly evidenceId: string; readonly roots: readonly PageTree[] };
}

export interface PageTree {
  readonly label: string;
  readonly children: readonly PageTree[];
  readonly open?: boolean;
}

const GLYPH = { healthy: '✔', observing: '○', warning: '▲', critical: '✖', inconclusive: '?', info: 'i' } as const;

/** The whole run as one page that needs no network and no script: a text an incident can keep. Needs a finished run. */
export function htmlOf(run: RunState, extras: HtmlExtras): string {
  const { report } = run;
  if (!report) throw new Error('htmlOf needs a run with its report');
  const title = `lens: ${report.verdict}: ${report.insights[0]?.title ?? report.summary}`;
  const body = [
    head(report),
    ...report.insights.map(insightPart),
    part('Vital signs', vitals(run)),
    part('Time line', timeline(run)),
    part(`Where the cpu time went${extras.flame ? ` (${extras.flame.evidenceId})` : ''}`, flame(extras)),
    part(
      `Who holds the memory${extras.holders ? ` (${extras.holders.evidenceId})` : ''}`,
      trees(extras.holders?.roots),
    ),
    part(
      'Looked at and found fine',
      list(report.operators.filter(o => !o.incomplete && o.outcome === 'healthy').map(o => [o.skill, o.summary])),
    ),
    part('Not looked at', list(report.inconclusive.map(text => ['', text]))),
    part('Failures inside lens', list(report.failures.map(f => [f.where, f.message]))),
    part('The run', facts(report)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${esc(title)}</title>
<style>${HTML_STYLE}</style>
</head>
<body>
<main>
${body.filter(Boolean).join('\n')}
</main>
<footer>${esc(`lens ${report.lens.version}, run ${report.run.id}, ${isoOf(report.run.startedAt)}`)}</footer>
</body>
</html>
`;
}

/** Unfolds without a script. */
function trees(roots: readonly PageTree[] = []): string {
  return roots.length === 0 ? '' : `<ul class="tree">${roots.map(treeItem).join('')}</ul>`;
}

function treeItem({ label, children, open }: PageTree): string {
  if (children.length === 0) return `<li>${esc(label)}</li>`;
  const below = children.map(treeItem).join('');
  return `<li><details${open ? ' open' : ''}><summary>${esc(label)}</summary><ul>${below}</ul></details></li>`;
}

/** Names in backticks as code. */
function prose(text: string): string {
  return esc(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function part(title: string, content: string): string {
  return content === '' ? '' : `<section><h2>${esc(title)}</h2>\n${content}\n</section>`;
}

function head(report: Report): string {
  const [first] = report.insights;
  const { target } = report;
  const who = [target.name ?? target.entry ?? target.command, `pid ${target.pid}`, `Node ${target.nodeVersion}`];
  return `<header class="${report.verdict}">
<p class="verdict"><span aria-hidden="true">${GLYPH[report.verdict]}</span> ${esc(report.verdict)}</p>
<h1>${prose(first?.title ?? report.summary)}</h1>
${first?.culprit ? `<p class="where">${esc(place(first.culprit))}</p>` : ''}
${first?.fix ? `<p class="fix"><b>Fix</b> ${prose(first.fix)}</p>` : ''}
<p class="dim">${esc(who.filter(Boolean).join(' · '))}${report.run.reason ? esc(` · asked: “${report.run.reason}”`) : ''}</p>
</header>`;
}

function insightPart(insight: Insight): string {
  const { rank, title, severity, faultClass, confidence, grounded, rootCause, culprit, fix } = insight;
  return `<section class="insight ${severity}">
<h2>${rank}. ${prose(title)}</h2>
<p class="tags"><span class="tag ${severity}">${GLYPH[severity]} ${severity}</span> <span class="tag">${esc(faultClass)}</span> <span class="tag">confidence ${confidence}${grounded ? ', grounded' : ''}</span></p>
${list(insight.matchedObservations.map(o => ['', o]))}
${rootCause ? `<p><b>Probably</b> ${prose(rootCause)}</p>` : ''}
${culprit ? location(culprit) : ''}
${(insight.related ?? []).map(location).join('\n')}
${fix && rank > 1 ? `<p class="fix"><b>Fix</b> ${prose(fix)}</p>` : ''}
${(insight.marks ?? []).map(m => `<p class="dim">Checked and not confirmed: ${esc(m)}</p>`).join('\n')}
<p class="dim">Evidence: ${esc(insight.evidenceIds.join(', ') || 'none')}</p>
</section>`;
}

/** The place, the way to it as nested steps, and its lines. */
function location(at: CodeLocation): string {
  const steps = (at.via ?? []).map(step => `<li>${esc(step)}</li>`).join('');
  const path = steps ? `<ol class="path">${steps}</ol>` : '';
  const frame = at.frame === undefined ? '' : `<pre>${at.frame.split('\n').map(codeLine).join('\n')}</pre>`;
  return `<p class="where">${esc(place(at))}</p>\n${path}${frame}`;
}

function codeLine(text: string): string {
  return text.startsWith('>') ? `<mark>${esc(text)}</mark>` : esc(text);
}

const CHARTS: readonly (readonly [label: string, name: string, say: (value: number) => string])[] = [
  ['Resident memory', 'rssBytes', sayBytes],
  ['Heap', 'heapUsedBytes', sayBytes],
  ['External memory', 'externalBytes', sayBytes],
  ['CPU', 'cpuPercent', v => `${Math.round(v)} %`],
  ['Event loop busy', 'elu', sayShare],
  ['Longest loop delay', 'loopDelayMs', sayMs],
  ['Garbage collection', 'gcShare', sayShare],
  ['Handles', 'handles', sayCount],
];

/** Two points make a line; fewer are no chart. */
const MIN_POINTS = 3;

function vitals(run: RunState): string {
  const charts = CHARTS.flatMap(([label, name, say]) => {
    const points = run.vitals.flatMap(({ at, values }) => {
      const y = values[name];
      return y !== undefined && Number.isFinite(y) ? [{ x: at, y }] : [];
    });
    const last = points.at(-1);
    if (points.length < MIN_POINTS || !last) return [];
    return [
      `<figure><figcaption><b>${esc(label)}</b> <span>${esc(say(last.y))}</span></figcaption>${chartSvg(points, label, say)}</figure>`,
    ];
  });
  return charts.length === 0 ? '' : `<div class="charts">${charts.join('')}</div>`;
}

function timeline(run: RunState): string {
  const rows = run.feed.filter(row => ['changed', 'noticed', 'concluded', 'cause', 'failed'].includes(row.what));
  if (rows.length === 0) return '';
  const items = rows.map(
    row =>
      `<tr><td>${((row.at - run.startedAt) / 1000).toFixed(1)} s</td><td>${esc(row.who)}</td><td class="${row.what}">${row.what}</td><td>${esc(row.text)}</td></tr>`,
  );
  return `${timelineSvg(run)}
<details><summary>${rows.length} events</summary><div class="wide"><table>${items.join('\n')}</table></div></details>`;
}

function flame({ flame: given }: HtmlExtras): string {
  return given && given.root.value > 0 ? `<div class="wide">${flameSvg(given.root)}</div>` : '';
}

function list(rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return '';
  const items = rows.map(([who, text]) => `<li>${who ? `<b>${esc(who)}</b> ` : ''}${prose(text)}</li>`);
  return `<ul>${items.join('\n')}</ul>`;
}

function facts(report: Report): string {
  const { run, target, detached, operators } = report;
  const calls = operators.reduce((sum, o) => sum + o.iterations, 0);
  const by = run.planner === 'rules' ? 'by rules alone' : `model ${run.model ?? ''}`;
  return list([
    ['Target', `${target.command}, in ${target.cwd}`],
    ['Took', `${sayMs(run.finishedAt - run.startedAt)}, ${sayCount(calls)} calls, ${by}`],
    ['Disturbance', sayDisturbance(report.disturbance)],
    ['Left behind', detached.residue.length === 0 ? 'nothing' : detached.residue.join(' ')],
    ...report.artifacts.map(a => [`Saved ${a.kind}`, a.path] as const),
  ]);
}

function isoOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
