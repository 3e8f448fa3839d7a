import { findPaths, findPathsOver, type RetainingPath } from './paths.js';
import { repeatedTexts } from './repeated.js';
import { type SaidPath, sayNode, sayPath } from './say.js';
import { Scripts, type Telling } from './scripts.js';
import { asWritten, classRows, type HeapSummary, summarise } from './summary.js';
import { type WaitingRow, waitingRows } from './suspended.js';
import type { HeapView } from './view.js';

/** What can be asked about one heap. Lists are given in pages. */
export type HeapQuestion =
  | { readonly ask: 'summary'; readonly rows?: number }
  | { readonly ask: 'classes' | 'strings' | 'waiting'; readonly offset: number; readonly limit: number }
  | { readonly ask: 'retainers' | 'dominators'; readonly id?: number; readonly offset: number; readonly limit: number }
  | { readonly ask: 'paths'; readonly id: number; readonly offset: number; readonly limit: number };

export interface NodeRow {
  readonly id: number;
  readonly what: string;
  readonly selfBytes: number;
  readonly retainedBytes: number;
  readonly distance: number;
  /** How the node refers to the one asked for (retainers only). */
  readonly via?: string;
  /** False for references that do not keep the object. */
  readonly retains?: boolean;
}

export interface HeapPage<T> {
  readonly total: number;
  readonly offset: number;
  readonly rows: readonly T[];
}

export type HeapAnswer =
  | { readonly ask: 'summary'; readonly summary: HeapSummary }
  | {
      readonly ask: 'paths';
      readonly node: NodeRow;
      /** The shortest meaningful one, and those over the other references that keep the object, nearest first. */
      readonly path: SaidPath;
      readonly others: HeapPage<SaidPath>;
    }
  | { readonly ask: 'classes' | 'strings'; readonly page: HeapPage<object> }
  | { readonly ask: 'waiting'; readonly page: HeapPage<WaitingRow> }
  | { readonly ask: 'retainers' | 'dominators'; readonly node: NodeRow; readonly page: HeapPage<NodeRow> }
  | { readonly ask: 'unknown-id'; readonly id: number };

/** Answers one question; an id that the heap does not have is an answer, too. */
export function answerQuestion(view: HeapView, question: HeapQuestion, telling: Telling = {}): HeapAnswer {
  const scripts = new Scripts(view, telling);
  const row = (node: number, more: Partial<NodeRow> = {}): NodeRow => ({
    id: view.id(node),
    what: sayNode(view, scripts, node),
    selfBytes: view.selfBytes(node),
    retainedBytes: view.retainedBytes(node),
    distance: view.distance(node),
    ...more,
  });
  switch (question.ask) {
    case 'summary':
      return {
        ask: 'summary',
        summary: summarise(view, { ...telling, ...(question.rows && { rows: question.rows }) }),
      };
    case 'classes':
      return { ask: 'classes', page: pageOf(classRows(view, scripts), question, row => asWritten(scripts, row)) };
    case 'strings':
      return { ask: 'strings', page: pageOf(repeatedTexts(view.heap).repeated, question, item => item) };
    case 'waiting':
      return { ask: 'waiting', page: pageOf(waitingRows(view, scripts), question, row => row) };
    default:
      return aboutNode(view, scripts, question, row);
  }
}

function aboutNode(
  view: HeapView,
  scripts: Scripts,
  question: Extract<HeapQuestion, { id?: number }>,
  row: (node: number, more?: Partial<NodeRow>) => NodeRow,
): HeapAnswer {
  const node = question.id === undefined ? view.heap.file.root : view.find(question.id);
  if (node === undefined) return { ask: 'unknown-id', id: question.id ?? 0 };
  if (question.ask === 'paths') {
    return { ask: 'paths', node: row(node), ...pathsTo(view, scripts, node, question) };
  }
  if (question.ask === 'dominators') {
    const page = pageOf(dominatedBy(view, node), question, child => row(child));
    return { ask: 'dominators', node: row(node), page };
  }
  const page = pageOf(retainersOf(view, node), question, ({ from, edge }) =>
    row(from, { via: `${view.edgeType(edge)} ${view.edgeName(edge)}`, retains: view.retains(edge) }),
  );
  return { ask: 'retainers', node: row(node), page };
}

function pathsTo(
  view: HeapView,
  scripts: Scripts,
  node: number,
  { offset, limit }: { offset: number; limit: number },
): { path: SaidPath; others: HeapPage<SaidPath> } {
  const best = findPaths(view, scripts, [node])[0]!;
  const all = retainersOf(view, node).filter(({ edge }) => view.retains(edge));
  const holders = new Set(all.map(({ from }) => from));
  // V8 writes an array's element twice: as the array's own, and as its backing store's.
  const isTwice = (from: number) => view.isPart(from) && holders.has(view.dominator(from));
  const others = all.filter(({ from, edge }) => edge !== best.steps.at(-1)?.edge && !isTwice(from));
  const shown = findPathsOver(view, scripts, node, others.slice(offset, offset + limit));
  const said = (path: RetainingPath) => sayPath(view, scripts, path);
  return { path: said(best), others: { total: others.length, offset, rows: shown.map(said) } };
}

function pageOf<T, R>(
  items: readonly T[],
  { offset, limit }: { offset: number; limit: number },
  show: (item: T) => R,
): HeapPage<R> {
  return { total: items.length, offset, rows: items.slice(offset, offset + limit).map(show) };
}

/** Objects directly dominated by a node, those that retain most first. */
function dominatedBy(view: HeapView, node: number): number[] {
  const found: number[] = [];
  for (let child = 0; child < view.nodeCount; child++) {
    if (view.dominator(child) === node && child !== node) found.push(child);
  }
  return found.sort((a, b) => view.retainedBytes(b) - view.retainedBytes(a));
}

/** Every reference to a node, retaining ones from the nearest objects first. */
function retainersOf(view: HeapView, node: number): { from: number; edge: number }[] {
  const { firstEdge, target } = view.heap.file;
  const found: { from: number; edge: number }[] = [];
  for (let from = 0; from < view.nodeCount; from++) {
    for (let edge = firstEdge[from]!; edge < firstEdge[from + 1]!; edge++) {
      if (target[edge] === node || ~target[edge]! === node) found.push({ from, edge });
    }
  }
  const rank = (edge: number) => (view.retains(edge) ? 0 : 1);
  const away = (from: number) => (view.distance(from) < 0 ? Number.MAX_SAFE_INTEGER : view.distance(from));
  return found.sort((a, b) => rank(a.edge) - rank(b.edge) || away(a.from) - away(b.from));
}
