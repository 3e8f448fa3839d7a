import type { FlameNode } from '../report/flame.js';
import { type Line, line, type Span, span, type Tone } from './line.js';

const SHADES: readonly Tone[] = ['inverse', 'accent'];
/** Deeper stacks are cut: a screen has no more rows. */
const MAX_DEPTH = 40;

/** An icicle: the root above, callees below, each as wide as its share. Neighbours alternate in shade. */
export function flameLines(root: FlameNode, width: number): Line[] {
  const rows: Span[][] = [];
  place(root, 0, 0, width);
  return rows.map(row => line(...row));

  function place(node: FlameNode, depth: number, from: number, cells: number): void {
    if (cells < 1 || depth >= MAX_DEPTH) return;
    let row = rows[depth];
    if (!row) rows[depth] = row = [];
    const used = row.reduce((sum, s) => sum + s.text.length, 0);
    if (from > used) row.push(span(' '.repeat(from - used)));
    row.push(span(label(node.name, cells), SHADES[row.length % SHADES.length]));
    let at = from;
    for (const child of [...node.children].sort((a, b) => b.value - a.value)) {
      const share = Math.floor((child.value / node.value) * cells);
      place(child, depth + 1, at, share);
      at += share;
    }
  }
}

function label(name: string, cells: number): string {
  return name.length <= cells ? name.padEnd(cells) : `${name.slice(0, Math.max(0, cells - 1))}…`.slice(0, cells);
}
