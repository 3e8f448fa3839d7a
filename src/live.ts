import { vitalsCollector } from './collectors/vitals.js';
import type { Session } from './inspector/session.js';
import type { Vitals, VitalsSample } from './model/evidence/vitals.js';
import type { RunEnv } from './run.js';

/** Between two windows of one second: the screen's clock. Slower than a person reads, far below 1 % of a core. */
const PAUSE_MS = 1_000;

/** The first window is short: a person wants to see numbers at once. */
const FIRST_WINDOW_S = 0.25;
const WINDOW_S = 1;

/** Emits a second's vitals every other second until `signal` aborts or the target is gone. Books no evidence. */
export async function emitVitals(
  session: Session,
  env: Pick<RunEnv, 'emit' | 'now' | 'sleep'>,
  signal: AbortSignal,
): Promise<void> {
  const sleep = (ms: number) => env.sleep(ms, signal);
  const context = {
    signal,
    now: env.now,
    sleep,
    exclusively: <T>(work: () => Promise<T>) => work(),
    mayPause: () => false,
  };
  let seconds = FIRST_WINDOW_S;
  while (!signal.aborted && !session.lost.aborted) {
    try {
      const { data } = await vitalsCollector.collect(session, { seconds }, context);
      env.emit({ type: 'vitals.read', vitals: numbersOf(data) });
      if (seconds === WINDOW_S) await sleep(PAUSE_MS);
      seconds = WINDOW_S;
    } catch {
      // The end of the run, or a loop that stands still: the next window, if there is one, tells.
      if (!signal.aborted && !session.lost.aborted) await sleep(PAUSE_MS).catch(() => undefined);
    }
  }
}

function numbersOf(vitals: Vitals): { readonly [name: string]: number } {
  const last = vitals.samples.at(-1);
  return {
    ...(last && numbersOfSample(last)),
    cpuPercent: vitals.cpuPercent,
    elu: vitals.elu,
    loopDelayMs: vitals.loopDelay.maxMs,
    gcShare: vitals.gcShare,
  };
}

/** One moment as the numbers that a screen draws; what is not known is left out. */
export function numbersOfSample(sample: VitalsSample): { readonly [name: string]: number } {
  const { rssBytes, heapUsedBytes, heapLimitBytes, externalBytes, cpuPercent, elu, requests } = sample;
  const handles = Object.values(sample.activeResources).reduce((sum, count) => sum + count, 0);
  return { rssBytes, heapUsedBytes, heapLimitBytes, externalBytes, cpuPercent, elu, handles, requests };
}
