import type { Context, Finding } from './finding.js';
import { type Frame, placeKey, type Wait } from './waits.js';

/** Runs of one job that a timer begins again before the last one has ended. */
export interface Overlap {
  /** From one begin to the next. */
  readonly everyMs: number;
  /** How many began in the window; none of them ended in it. */
  readonly runs: number;
}

/** With fewer begins nothing is regular. */
const LEAST_RUNS = 3;
/** A timer that ticks faster than this is no job's. */
const LEAST_EVERY_MS = 100;
const SAME_MS = 2;
/** A timer's own beginnings are late by what the loop is busy with, and no more. */
const JITTER = 1.5;

/** Jobs that a timer begins and that take longer than the timer waits: each run lies over the ones before. */
export function overlapping({ waits, dump }: Context): Finding[] {
  const jobs = new Map<string, Wait[]>();
  for (const wait of waits.all) {
    if (!isBegunByTimer(wait)) continue;
    const key = placeKey(wait.user[0]);
    const known = jobs.get(key) ?? [];
    // One begin makes several promises: the job's own and those of its wrappers.
    if (wait.at - (known.at(-1)?.at ?? Number.NEGATIVE_INFINITY) > SAME_MS) jobs.set(key, [...known, wait]);
  }
  return [...jobs.values()].flatMap(runs => {
    const overlap = overlapOf(runs);
    return overlap ? [toFinding(runs, overlap, dump.windowMs)] : [];
  });
}

/** The job is called by the timer itself (or a scheduler's package), or by a callback around that one call. */
function isBegunByTimer({ kind, request, user, frames }: Wait): boolean {
  if (kind !== 'async-function' || request !== 0 || !isJob(user)) return false;
  return frames.some(({ kind: of, function: name }) => of === 'node' && name === 'listOnTimeout');
}

const isJob = (user: readonly Frame[]): boolean =>
  user.length === 1 || (user.length === 2 && user[0]?.function !== '' && user[1]?.function === '');

function overlapOf(runs: readonly Wait[]): Overlap | undefined {
  if (runs.length < LEAST_RUNS || runs.some(run => !run.pending)) return undefined;
  const gaps = runs.slice(1).map((run, i) => run.at - (runs[i]?.at ?? 0));
  const [least, most] = [Math.min(...gaps), Math.max(...gaps)];
  if (least < LEAST_EVERY_MS || most > JITTER * least) return undefined;
  return { everyMs: Math.round(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length), runs: runs.length };
}

function toFinding(runs: readonly Wait[], overlap: Overlap, windowMs: number): Finding {
  const [first] = runs as readonly [Wait]; // LEAST_RUNS
  return {
    faultClass: 'queue.backlog',
    confidence: 'medium',
    user: first.user,
    place: first.user[0],
    maker: undefined,
    makerUser: [],
    package: undefined,
    others: [],
    holding: [],
    routes: [],
    requests: 0,
    oldestMs: Math.round(windowMs - first.at),
    flow: undefined,
    overlap,
  };
}
