import type { Holder } from '../model/evidence/holders.js';
import { poolState } from './pools.js';

/** So many of the connections must be at something, and of these so many at one thing, before it is what takes the pool. */
const AT_WORK = 0.5;
const ALIKE = 0.5;
const LEAST = 2;

/** The statement that most connections of a pool are at; undefined where they are at rest in somebody's hands, or at many. */
export function runningMost(holder: Holder): { readonly statement: string; readonly count: number } | undefined {
  const { running = [] } = holder;
  const counts = new Map<string, number>();
  for (const statement of running) counts.set(statement, (counts.get(statement) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  const used = poolState(holder).used ?? running.length;
  if (!most || most[1] < LEAST || running.length < AT_WORK * used || most[1] < ALIKE * running.length) return undefined;
  return { statement: most[0], count: most[1] };
}
