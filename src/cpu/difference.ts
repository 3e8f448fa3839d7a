import type { CallTree, Frame } from './tree.js';
import { byFunction, weigh } from './weights.js';

/** A function in two profiles: its share of each window's length, 0..1. */
export interface Change {
  readonly frame: Frame;
  readonly selfBefore: number;
  readonly selfAfter: number;
  readonly totalBefore: number;
  readonly totalAfter: number;
}

/** What takes more or less of the time in the second profile, the largest change of self time first. */
export function difference(before: CallTree, after: CallTree): Change[] {
  const changes = new Map<string, Change>();
  for (const [tree, side] of [
    [before, 'Before'],
    [after, 'After'],
  ] as const) {
    const length = Math.max(1, tree.durationUs);
    for (const { frame, selfUs, totalUs } of byFunction(tree, weigh(tree))) {
      const key = keyOf(frame);
      const known = changes.get(key) ?? { frame, selfBefore: 0, selfAfter: 0, totalBefore: 0, totalAfter: 0 };
      const self = known[`self${side}`] + selfUs / length;
      const total = known[`total${side}`] + totalUs / length;
      changes.set(key, { ...known, [`self${side}`]: self, [`total${side}`]: total });
    }
  }
  return [...changes.values()].sort(
    (a, b) => Math.abs(b.selfAfter - b.selfBefore) - Math.abs(a.selfAfter - a.selfBefore),
  );
}

/** Script ids differ between processes; name and place do not. */
function keyOf({ functionName, url, line, column }: Frame): string {
  return `${functionName} ${url} ${line} ${column}`;
}
