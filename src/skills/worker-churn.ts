import { sayCount, sayMs, sayShare } from '../base/say.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { Workers } from '../model/evidence/workers.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';

/** A schedule starts a thread now and then; from here on requests do. */
const STARTS_PER_SECOND = 3;
/** To start a thread with its heap, its Node and its modules takes 25 to 80 ms of cpu: one that lives for less longer than twice that does little else. */
const SHORT_LIFE_MS = 200;
const ENDED_AT_LEAST = 10;
/** Of a core, beside what the main thread takes. */
export const CHURN_OF_CORE = 0.15;

/** Threads come and go several times a second, each for one short piece of work. */
export function isChurning(data: Workers): boolean {
  const lives = livesOf(data);
  return lives.length >= ENDED_AT_LEAST && startsPerSecond(data) >= STARTS_PER_SECOND && median(lives) <= SHORT_LIFE_MS;
}

/** What the process takes of a core beside its main thread; 0 where /proc doesn't tell. */
export const besideMain = ({ cpuPercent, mainThreadPercent = cpuPercent }: Vitals): number =>
  (cpuPercent - mainThreadPercent) / 100;

const livesOf = ({ offspring }: Workers): number[] =>
  offspring
    .filter(({ kind }) => kind === 'worker')
    .flatMap(({ endings }) => endings.flatMap(({ code, lifetimeMs }) => (code === 0 ? (lifetimeMs ?? []) : [])));

const startsPerSecond = ({ offspring, seconds }: Workers): number =>
  offspring.reduce((sum, { kind, spawned }) => sum + (kind === 'worker' ? spawned : 0), 0) / Math.max(1, seconds);

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** What is said of threads that are started for each piece of work. */
export function churnDraft(
  workers: Workers,
  vitals: Vitals,
  culprit: CodeLocation | undefined,
): Omit<NotificationDraft, 'evidenceIds'> {
  const rate = startsPerSecond(workers);
  const life = median(livesOf(workers));
  const share = besideMain(vitals);
  const where = culprit ? `\`${culprit.function || culprit.file}\` (${culprit.file}:${culprit.line})` : 'The program';
  return {
    anomalyType: 'worker-churn',
    faultClass: 'cpu.hot',
    severity: 'warning',
    title: `${where} starts a worker thread for each piece of work: ${sayCount(rate)} a second, half of them over within ${sayMs(life)}`,
    context: 'Every thread builds a heap, starts Node in it and loads its modules before its first line runs.',
    observation: `${livesOf(workers).length} worker threads ended well in ${workers.seconds} s; beside the main thread the process takes ${sayShare(share)} of a core.`,
    hypothesis: 'A thread is started for each request or job instead of being kept and given the next one.',
    ...(culprit && { culprit }),
    fix: 'Keep a pool of workers (about one a core) and send them the work by messages.',
    metrics: [
      { name: 'threads started', value: rate, unit: '/s' },
      { name: 'median life', value: life, unit: 'ms' },
      { name: 'share of a core', value: share * 100, unit: '%' },
    ],
    mechanism: culprit !== undefined,
    confidence: culprit ? 'high' : 'medium',
  };
}
