import { sayBytes, sayCount, sayShare } from '../../base/say.js';
import { displayPath } from '../../base/script-url.js';
import {
  type ClassDifference,
  type ClassRow,
  type HeapAnswer,
  type HeapPage,
  type HeapSummary,
  type NodeRow,
  type RepeatedText,
  type SaidPath,
  type SaidSuspect,
  type ScriptPlace,
  SYSTEM_DISTANCE,
  type WaitingRow,
} from '../../heap/index.js';
import type { JudgedHolder } from './bound.js';
import type { JudgedDifference } from './job.js';

export interface TextContext {
  readonly path: string;
  readonly cwd: string;
  /** Width of the terminal; default 80. */
  readonly columns?: number;
}

/** `36 000` is one word. */
const BETWEEN_WORDS = / (?!\d{3}(?:\D|$))/;
/** What every terminal has. */
const COLUMNS = 80;
const INDENT = '    ';

/** An answer for people; every table says how to get its next page. */
export function answerText(answer: HeapAnswer, context: TextContext): string {
  switch (answer.ask) {
    case 'summary':
      return summaryText(answer.summary, context);
    case 'paths':
      return `${nodeLine(answer.node)}\n${pathLines(answer.path.steps, answer.path.text)}${otherPaths(answer.others)}`;
    case 'classes':
      return `${table(
        CLASS_HEAD,
        (answer.page.rows as ClassRow[]).map(row => classRow(row, context)),
        context.columns,
      )}\n${more(answer.page)}`;
    case 'strings':
      return `${table(TEXT_HEAD, (answer.page.rows as RepeatedText[]).map(textRow), context.columns)}\n${more(answer.page)}`;
    case 'waiting':
      return `${answer.page.rows.map(row => waitingLines(row, context)).join('\n')}\n${more(answer.page)}`;
    case 'retainers':
    case 'dominators':
      return `${nodeLine(answer.node)}\n${table(NODE_HEAD, answer.page.rows.map(nodeRow), context.columns)}\n${more(answer.page)}`;
    default:
      return `No object has the id ${answer.id}.`;
  }
}

/** `20 × print() src/queue.js:14 ← handle() src/server.js:8, a timer ends 3, 17 serve requests`. */
function waitingLines({ count, timed, serving, functions }: WaitingRow, context: TextContext): string {
  const names = functions.map(({ function: name, place }) => `${name || 'anonymous'}() ${placeText(place, context)}`);
  const more = [
    timed > 0 ? `a timer ends ${sayCount(timed)}` : '',
    serving > 0 ? `${sayCount(serving)} with a request` : '',
  ];
  const said = more.filter(text => text !== '').join(', ');
  const [first = '', ...outer] = [
    `${sayCount(count)} × ${names[0] ?? ''}`,
    ...names.slice(1).map(name => `${INDENT}← ${name}`),
  ];
  return [said === '' ? first : `${first} (${said})`, ...outer].join('\n');
}

function otherPaths(others: HeapPage<SaidPath>): string {
  if (others.total === 0) return '';
  const lines = others.rows.map(({ text }, i) => `${others.offset + i + 1}. ${text}`);
  return `\n\nAlso kept over\n${[...lines, more(others)].join('\n')}`;
}

function summaryText(summary: HeapSummary, context: TextContext): string {
  const { kinds, suspects, classes, closures, texts, detached } = summary;
  const parts = Object.entries(kinds).filter(([, bytes]) => bytes > 0);
  return [
    `${context.path}: ${sayBytes(summary.totalBytes)} in ${sayCount(summary.nodes)} objects with ${sayCount(summary.edges)} references`,
    ...list(
      '',
      parts.map(([kind, bytes]) => `${kind} ${sayBytes(bytes)}`),
      context,
    ),
    '',
    suspects.length === 0 ? 'No object of the program holds a large part of it.' : 'Who holds it',
    ...suspects.map((suspect, i) => suspectLines(suspect, i + 1, context)),
    '',
    'Classes',
    table(
      CLASS_HEAD,
      classes.slice(0, 10).map(row => classRow(row, context)),
      context.columns,
    ),
    ...(closures.length === 0 ? [] : ['', 'Functions made again and again']),
    ...closures
      .slice(0, 5)
      .map(
        ({ name, place, count, retainedBytes }) =>
          `  ${sayCount(count)} × ${name}() ${placeText(place, context)}, ${sayBytes(retainedBytes)}`,
      ),
    '',
    `Texts: ${sayBytes(texts.bytes)}, of which ${sayBytes(texts.wastedBytes)} are copies of equal ones`,
    ...texts.repeated
      .slice(0, 3)
      .map(
        ({ text, count, wastedBytes }) => `  ${sayCount(count)} × ${JSON.stringify(text)}, ${sayBytes(wastedBytes)}`,
      ),
    ...(detached.length === 0
      ? []
      : [
          ...list(
            'Detached: ',
            detached.slice(0, 3).map(row => `${sayCount(row.count)} × ${row.class}`),
            context,
          ),
        ]),
    '',
    `Look closer: lens heap ${context.path} paths|retainers|dominators ID, classes, strings, waiting`,
  ].join('\n');
}

function suspectLines(suspect: SaidSuspect, rank: number, context: TextContext): string {
  const [main] = suspect.children;
  const what = main === undefined ? suspect.class : `${suspect.class} with ${childText(main, context.cwd)}`;
  const head = `${String(rank).padStart(2)}. ${sayBytes(suspect.retainedBytes)} (${sayShare(suspect.share)})  @${suspect.id}`;
  return [head, ...holderLines(what, suspect, context)].join('\n');
}

function holderLines(what: string, { path, place }: SaidSuspect, { columns = COLUMNS }: TextContext): string[] {
  return [
    ...wrapped(what.split(BETWEEN_WORDS), ' ', columns),
    ...wrapped(path.text.split(/(?= → )/), '', columns),
    ...(place ? [`${INDENT}at ${place.file}:${place.line}`] : []),
  ];
}

/** Several things in a sentence. */
function list(begin: string, items: readonly string[], { columns }: TextContext): string[] {
  const [first = '', ...rest] = items.map((item, i) => (i === items.length - 1 ? item : `${item},`));
  return wrapped([`${begin}${first}`, ...rest], ' ', columns, '');
}

/** Breaks between parts, never within one: a path must stay whole to be copied. */
function wrapped(parts: readonly string[], glue: string, columns = COLUMNS, indent = INDENT): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const longer = last === undefined ? undefined : `${last}${glue}${part}`;
    if (longer !== undefined && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${last === undefined ? '' : '  '}${part.trimStart()}`);
  }
  return lines;
}

function childText({ count, what, place, calls }: SaidSuspect['children'][number], cwd: string): string {
  const where = place && !what.includes(':') ? ` (${placeText(place, { cwd })})` : '';
  return `${sayCount(count)} × ${what}${where}${calls ? ` calling ${calls}` : ''}`;
}

/** The difference of files of one process, oldest first. */
export function differenceText(difference: JudgedDifference, context: Omit<TextContext, 'path'>): string {
  const { totalBytes, added, removed, grown, classes, workers } = difference;
  return [
    `${totalBytes.map(sayBytes).join(' → ')}: ${sayCount(added.count)} objects new (${sayBytes(added.bytes)}), ${sayCount(removed.count)} gone (${sayBytes(removed.bytes)})`,
    '',
    grown.length === 0 ? 'No object of the program grew from file to file.' : 'What grew',
    ...grown.map((holder, i) => grownLines(holder, i + 1, { path: '', ...context })),
    ...(workers === 0 ? [] : [workersLine(workers)]),
    '',
    'Classes',
    table(['delta', 'new', 'gone', 'class'], classes.slice(0, 15).map(classDifferenceRow), context.columns),
  ].join('\n');
}

function grownLines(holder: JudgedHolder, rank: number, context: TextContext): string {
  const [main] = holder.children;
  const history = holder.history.map(sayBytes).join(' → ');
  const head = `${String(rank).padStart(2)}. +${sayBytes(holder.grownBytes)} (${history})  @${holder.id}`;
  const what = main ? `${holder.class}, new: ${childText(main, context.cwd)}` : holder.class;
  return [head, ...holderLines(what, holder, context), ...boundLines(holder)].join('\n');
}

/** What can't be seen is said. */
function workersLine(workers: number): string {
  return workers === 1
    ? 'Its worker thread has a heap of its own, which these files do not show.'
    : `Its ${sayCount(workers)} worker threads have heaps of their own, which these files do not show.`;
}

function boundLines({ bound, levels, filling, slots, keys }: JudgedHolder): string[] {
  if (levels) return [`${INDENT}it grew less and less: it may be nearly full`];
  if (bound) return [`${INDENT}bounded at ${bound.file}:${bound.line}: it may still be filling`];
  if (filling) return [`${INDENT}filled by the loop at ${filling.file}:${filling.line}, which has not come to its end`];
  if (slots)
    return [`${INDENT}made for ${sayCount(slots.room)}, of which ${sayCount(slots.used)} are used: still filling`];
  if (!keys) return [];
  const { known, possible } = keys;
  return [`${INDENT}has ${sayCount(known)} of about ${sayCount(possible)} keys that there can be: still filling`];
}

function classDifferenceRow({ name, added, removed, addedBytes, removedBytes }: ClassDifference): string[] {
  return [sayBytes(addedBytes - removedBytes), sayCount(added), sayCount(removed), `${name}`];
}

const CLASS_HEAD = ['retained', 'self', 'count', 'class'];
const NODE_HEAD = ['retained', 'self', 'id', 'object'];
const TEXT_HEAD = ['wasted', 'copies', 'text'];

function classRow({ name, place, count, selfBytes, retainedBytes }: ClassRow, context: { cwd: string }): string[] {
  const where = place ? `  ${placeText(place, context)}` : '';
  return [sayBytes(retainedBytes), sayBytes(selfBytes), sayCount(count), `${name}${where}`];
}

function nodeRow({ id, what, via, retains, selfBytes, retainedBytes }: NodeRow): string[] {
  const how = via === undefined ? '' : `  (${via}${retains ? '' : ', does not retain'})`;
  return [sayBytes(retainedBytes), sayBytes(selfBytes), `@${id}`, `${what}${how}`];
}

function textRow({ text, count, wastedBytes, isCut }: RepeatedText): string[] {
  return [
    sayBytes(wastedBytes),
    sayCount(count),
    `${JSON.stringify(text)}${isCut ? ' (the first 1024 characters)' : ''}`,
  ];
}

function nodeLine({ id, what, selfBytes, retainedBytes, distance }: NodeRow): string {
  // From V8's side alone it is DevTools' hundred million, which says nothing to anybody.
  const far = distance >= 0 && distance < SYSTEM_DISTANCE ? `, distance ${distance}` : '';
  return `@${id} ${what}: ${sayBytes(selfBytes)} itself, ${sayBytes(retainedBytes)} retained${far}`;
}

function pathLines(steps: readonly { via: string; what: string; id: number }[], text: string): string {
  const [start = ''] = text.split(' → ');
  return [start, ...steps.map(({ via, what, id }) => `  → ${`${via} ${what}`.trim()}  @${id}`)].join('\n');
}

function placeText({ url, line }: ScriptPlace, { cwd }: { cwd: string }): string {
  return `${displayPath(url, cwd)}:${line}`;
}

function more({ total, offset, rows }: { total: number; offset: number; rows: readonly unknown[] }): string {
  const last = offset + rows.length;
  const next = last < total ? `; next page: --offset ${last}` : '';
  return rows.length === 0 ? `nothing (of ${sayCount(total)})` : `${offset + 1}–${last} of ${sayCount(total)}${next}`;
}

/** Columns aligned to the right, the last one to the left and cut where the line ends. */
function table(head: readonly string[], rows: readonly (readonly string[])[], columns = COLUMNS): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === cells.length - 1 ? `  ${cut(cell, left)}` : cell.padStart(widths[i]! + 2))).join('');
  const left = columns - 2 - widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  return [head, ...rows].map(line).join('\n');
}

/** A name says most at its beginning, a path at its end: what goes is in the middle. */
function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const head = Math.floor((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}
