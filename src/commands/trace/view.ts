import type { Redactor } from '../../base/redact.js';
import { sayCount, sayMs } from '../../base/say.js';
import type { CreatorFrame } from '../../model/evidence/handles.js';
import type {
  TextSpot,
  Trace,
  TracedPoint,
  TraceHit,
  TraceLine,
  TraceParams,
  TracePoint,
} from '../../model/evidence/trace.js';
import type { TargetInfo } from '../../model/target.js';
import type { ScriptText } from '../../source/script.js';
import { displayPath, filePath } from '../../source/url.js';
import { version } from '../../version.js';
import { wrap } from '../table.js';

/** What the lines of a trace are made with. */
export interface TraceView {
  readonly points: readonly TracePoint[];
  readonly scripts: readonly ScriptText[];
  readonly redactor: Redactor;
  readonly target: TargetInfo;
}

export interface TraceLines {
  started(params: TraceParams): readonly string[];
  hit(hit: TraceHit): readonly string[];
  ended(trace: Trace): readonly string[];
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly function?: string;
}

/** One JSON object a line: `trace.started`, `trace.hit`, `trace.ended`; lines and columns 1-based and source-mapped. */
export function jsonLines(view: TraceView): TraceLines {
  const line = (value: object): string[] => [JSON.stringify(view.redactor.deep(value))];
  return {
    started: ({ mode, seconds, hits, perSecond }) =>
      line({
        type: 'trace.started',
        lens: version,
        pid: view.target.pid,
        mode,
        seconds,
        hits,
        perSecond,
        places: view.points.map(({ label }) => label),
      }),
    hit: hit => line({ type: 'trace.hit', ...plainHit(view, hit) }),
    ended: ({ seconds, points, hits, skipped, timed, ended }) =>
      line({
        type: 'trace.ended',
        ended,
        seconds,
        hits: hits.length,
        skipped,
        ...(timed && { timed }),
        places: points.map(({ position, point, ...rest }) => ({ place: view.points[point]?.label, ...rest })),
      }),
  };
}

function plainHit(view: TraceView, { frames, lines, point, ...hit }: TraceHit) {
  const traced = view.points[point];
  return {
    ...hit,
    place: traced?.label,
    ...(frames && { stack: frames.map(frame => framePlace(view, frame)) }),
    ...(lines &&
      traced && {
        lines: lines.map(({ line, column, ...rest }) => ({ ...placeOf(view, traced.url, { line, column }), ...rest })),
      }),
  };
}

function placeOf({ scripts, target }: TraceView, url: string, { line, column }: TextSpot): Place {
  const script = scripts.find(each => filePath(each.url) === filePath(url));
  if (!script) return { file: displayPath(url, target.cwd), line: line + 1, column: column + 1 };
  const original = script.original(line, column);
  return { file: displayPath(original.file, target.cwd), line: original.line, column: original.column };
}

const framePlace = (view: TraceView, { url, line, column, functionName }: CreatorFrame): Place => ({
  ...placeOf(view, url, { line, column }),
  ...(functionName && { function: functionName }),
});

/** Lines for a terminal; values are cut at its width. */
export function textLines(view: TraceView, width: number): TraceLines {
  const clean = (lines: readonly string[]): string[] => lines.map(line => cut(view.redactor.redact(line), width));
  return {
    started: ({ seconds, hits, perSecond, points }) => [
      ...wrap(
        `tracing ${points.map(({ label }) => label).join(' and ')} in pid ${view.target.pid}: at most ${seconds} s, ${hits} ${hits === 1 ? 'hit' : 'hits'}, ${perSecond} a second. Ctrl-C ends it.`,
        width,
        '',
      ),
      '',
    ],
    hit: hit => clean(hitLines(view, view.redactor.deep(hit))),
    ended: trace => clean(endLines(view, trace, width)),
  };
}

function hitLines(view: TraceView, hit: TraceHit): string[] {
  const { atMs, point, thread, durationMs, approximate, returned, threw, values, frames = [], lines } = hit;
  const facts = [
    ...(durationMs === undefined ? [] : [`${approximate ? 'about ' : ''}${sayTime(durationMs)}`]),
    ...(threw ? ['threw'] : []),
    ...(thread === undefined ? [] : [thread]),
  ];
  const head = [`+${(atMs / 1000).toFixed(3)} s`.padStart(10), view.points[point]?.label ?? '', ...facts].join('  ');
  const traced = view.points[point];
  return [
    head,
    ...valueLines(returned === undefined ? values : { ...values, returned }, '    '),
    ...frames.map(frame => `    at ${sayPlace(framePlace(view, frame))}`),
    ...(lines && traced ? followedLines(view, traced.url, lines) : []),
  ];
}

function valueLines(values: TraceHit['values'], indent: string): string[] {
  const longest = Math.min(24, Math.max(0, ...Object.keys(values).map(name => name.length)));
  return Object.entries(values).map(([name, value]) => `${indent}${name.padEnd(longest)} = ${value}`);
}

const sayPlace = ({ function: name, file, line }: Place): string =>
  name ? `${name} (${file}:${line})` : `${file}:${line}`;

/** Each line as it was reached, with what had changed by then. */
function followedLines(view: TraceView, url: string, lines: readonly TraceLine[]): string[] {
  const before = new Map<string, string>();
  return lines.flatMap(({ line, column, atMs, values }) => {
    const place = placeOf(view, url, { line, column });
    const changed = Object.entries(values).filter(([name, value]) => before.get(name) !== value);
    for (const [name, value] of changed) before.set(name, value);
    const row = `  ${String(place.line).padStart(6)}  ${sayMs(atMs).padStart(7)}  ${codeOf(view, url, { line, column })}`;
    return [row, ...valueLines(Object.fromEntries(changed), ' '.repeat(19))];
  });
}

/** The line as it was written. */
function codeOf({ scripts }: TraceView, url: string, { line, column }: TextSpot): string {
  const script = scripts.find(each => each.url === url);
  if (!script) return '';
  const original = script.original(line, column);
  const text = original.mapped ? script.sourceText(original.file) : undefined;
  return (text?.split('\n')[original.line - 1] ?? script.line(line)).trim();
}

function endLines(view: TraceView, trace: Trace, width: number): string[] {
  const { timed, skipped, hits, seconds } = trace;
  const said = [
    `${hits.length} ${hits.length === 1 ? 'hit' : 'hits'} in ${seconds.toFixed(1)} s`,
    ...(skipped > 0 ? [`${sayCount(skipped)} more left out by --rate`] : []),
    ...(timed
      ? [
          `${sayCount(timed.calls)} ${timed.calls === 1 ? 'call' : 'calls'} timed, ${sayTime(timed.totalMs / timed.calls)} on average, ${sayTime(timed.maxMs)} at most`,
        ]
      : []),
  ];
  const refused = trace.points.flatMap(point => refusalLines(view, trace, point, width));
  return ['', ...wrap(`${said.join('; ')}. Everything was taken back.`, width, ''), ...silence(trace), ...refused];
}

function silence({ points, hits, mode }: Trace): string[] {
  const watched = points.filter(({ refused }) => refused === undefined);
  if (hits.length > 0 || watched.length === 0) return [];
  const reached = watched.reduce((sum, point) => sum + point.reached, 0);
  if (reached === 0) return ['It was not reached.'];
  const why = mode === 'hits' || mode === 'wrap' ? 'the condition never held' : 'no passage came to its end in time';
  return [`It was reached ${sayCount(reached)} times; ${why}.`];
}

function refusalLines(
  view: TraceView,
  { mode }: Trace,
  { point, thread, refused }: TracedPoint,
  width: number,
): string[] {
  if (refused === undefined) return [];
  const traced = view.points[point];
  const where = `${traced?.label ?? ''}${thread === undefined ? '' : `, ${thread}`}`;
  const cheaper =
    /reached \d+ times/.test(refused) && mode !== 'wrap' && mode !== 'lines' ? ` ${cheaperWay(traced)}` : '';
  return wrap(`${where}: ${refused}${cheaper}`, width, '  ');
}

const cheaperWay = (point: TracePoint | undefined): string =>
  point?.body
    ? `\`lens trace … ${point.body.name} --wrap\` counts and times it for less than 1 µs a call, if it is called as a method; \`lens run --skills cpu\` profiles it.`
    : '`lens run --skills cpu` profiles it.';

/** A wrapped method may take less than a tenth of a millisecond. */
const sayTime = (ms: number): string => (ms < 0.1 ? `${Math.round(ms * 1000)} µs` : sayMs(ms));

const cut = (line: string, width: number): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);
