import { sayMs, sayShare } from '../base/say.js';
import { escapeHtml as esc } from './escape-html.js';
import type { FlameNode } from './flame.js';
import type { RunState } from './state.js';

export interface Point {
  /** Milliseconds since 1970. */
  readonly x: number;
  readonly y: number;
}

const CHART = { width: 240, height: 72, foot: 14 } as const;

/** A line over its area, from zero up: heights can be compared, and nothing looks like a leak by scale alone. */
export function chartSvg(points: readonly Point[], label: string, say: (value: number) => string): string {
  const { width, height, foot } = CHART;
  const first = points[0]?.x ?? 0;
  const span = (points.at(-1)?.x ?? 0) - first || 1;
  const top = Math.max(...points.map(p => p.y), Number.MIN_VALUE);
  const room = height - foot;
  const at = points.map(p => `${round(((p.x - first) / span) * width)},${round(room - (p.y / top) * (room - 4))}`);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${esc(`${label} over ${sayMs(span)}, at most ${say(top)}`)}"><polygon class="area" points="0,${room} ${at.join(' ')} ${width},${room}"/><polyline class="line" points="${at.join(' ')}"/><line class="axis" x1="0" x2="${width}" y1="${room}" y2="${room}"/><text x="0" y="${height - 3}">0</text><text x="${width}" y="${height - 3}" text-anchor="end">${esc(sayMs(span))}, peak ${esc(say(top))}</text></svg>`;
}

const LINE = { width: 900, label: 90, row: 16 } as const;
const COLOR = { healthy: '#7bbf8e', observing: '#7fb2e5', warning: '#e0b341', critical: '#e57373' } as const;

/** Every operator as a bar from its first to its last event, with a mark at each thing it noticed. */
export function timelineSvg(run: RunState): string {
  const from = run.startedAt;
  const span = Math.max(1, run.lastAt - from);
  const xOf = (at: number) => round(LINE.label + ((at - from) / span) * (LINE.width - LINE.label - 4));
  const rows = run.operators.map((operator, i) => {
    const mine = run.feed.filter(row => row.who === operator.id);
    const begin = xOf(mine[0]?.at ?? from);
    const end = Math.max(begin + 2, xOf(mine.at(-1)?.at ?? from));
    const y = i * LINE.row;
    const marks = mine
      .filter(row => row.what === 'noticed')
      .map(
        row =>
          `<path d="M${xOf(row.at)} ${y + 2}l4 10h-8z" fill="${COLOR.critical}"><title>${esc(row.text)}</title></path>`,
      );
    return `<text x="0" y="${y + 11}">${esc(operator.id)}</text><rect x="${begin}" y="${y + 4}" width="${round(end - begin)}" height="8" rx="2" fill="${COLOR[operator.state]}"><title>${esc(operator.result?.summary ?? operator.activity)}</title></rect>${marks.join('')}`;
  });
  const height = rows.length * LINE.row + 14;
  return `<div class="wide"><svg viewBox="0 0 ${LINE.width} ${height}" role="img" aria-label="When each operator worked">${rows.join('')}<text x="${LINE.label}" y="${height - 2}">0</text><text x="${LINE.width}" y="${height - 2}" text-anchor="end">${sayMs(span)}</text></svg></div>`;
}

const FLAME = { width: 900, row: 17, minWidth: 1.5, charWidth: 5.6, maxDepth: 60 } as const;
const WARM = ['#f6c27a', '#f2a65a', '#f7d08a', '#eeb16b'] as const;

/** An icicle: callers above, callees below, each as wide as its share of the work. Hover tells the whole name. */
export function flameSvg(root: FlameNode): string {
  const cells: string[] = [];
  let deepest = 0;
  const stack: { node: FlameNode; depth: number; x: number; width: number }[] = [
    { node: root, depth: 0, x: 0, width: FLAME.width },
  ];
  for (let cell = stack.pop(); cell; cell = stack.pop()) {
    const { node, depth, x, width } = cell;
    deepest = Math.max(deepest, depth);
    cells.push(flameCell(node, root.value, depth, x, width, cells.length));
    if (depth >= FLAME.maxDepth) continue;
    let at = x;
    for (const child of node.children.toSorted((a, b) => b.value - a.value)) {
      const share = (child.value / Math.max(1, node.value)) * width;
      if (share >= FLAME.minWidth) stack.push({ node: child, depth: depth + 1, x: at, width: share });
      at += share;
    }
  }
  return `<svg viewBox="0 0 ${FLAME.width} ${(deepest + 1) * FLAME.row}" role="img" aria-label="Flame graph of the cpu profile">${cells.join('')}</svg>`;
}

function flameCell(node: FlameNode, all: number, depth: number, x: number, width: number, index: number): string {
  const y = depth * FLAME.row;
  const chars = Math.floor((width - 4) / FLAME.charWidth);
  const name = node.name.length <= chars ? node.name : `${node.name.slice(0, Math.max(0, chars - 1))}…`;
  const text = chars >= 3 ? `<text x="${round(x + 3)}" y="${y + 12}">${esc(name)}</text>` : '';
  const color = WARM[index % WARM.length];
  return `<g><title>${esc(`${node.name} ${sayShare(node.value / Math.max(1, all))}`)}</title><rect class="cell" x="${round(x)}" y="${y}" width="${round(width)}" height="${FLAME.row - 1}" fill="${color}"/>${text}</g>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
