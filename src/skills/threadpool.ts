import { z } from 'zod';
import { sayMs } from '../base/say.js';
import { isUsable } from '../model/evidence/index.js';
import type { Threadpool } from '../model/evidence/threadpool.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import { computes, type JobGroup, jobGroups } from '../waiting/jobs.js';
import { isFull, isQueueing, isSaturated } from '../waiting/symptoms.js';
import { lookAtWaiting, type WaitingLook } from './waiting-look.js';
import { placeOfFrame } from './waiting-place.js';

const SECONDS = 2;

export const threadpool = defineSkill({
  id: 'threadpool',
  title: 'Thread pool',
  description: 'Queued file, dns, crypto and zlib work; how long a trivial job waits for a thread',
  scope: "libuv's threads: fs, dns.lookup, crypto and zlib jobs. Not work on the main thread (cpu, event-loop).",
  words: [
    'threadpool',
    'libuv',
    'uv',
    'thread',
    'threads',
    'pbkdf2',
    'bcrypt',
    'scrypt',
    'crypto',
    'zlib',
    'gzip',
    'dns',
    'fs',
    'slow',
  ],
  needs: { pool: { kind: 'threadpool', params: { seconds: SECONDS } } },
  snapshot: ({ pool }) => (pool === undefined ? undefined : numbersOf(pool)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'threadpoolLatency',
      doc: 'How long a trivial file lookup waits for a thread of the pool, and the most pending requests by type.',
      params: z.object({ seconds: z.number().min(0.5).max(8).default(SECONDS) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('threadpool', { seconds });
        return isUsable(reading) ? numbersOf(reading.data) : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
  ],
  prompt:
    'A slow probe with a quick loop means that all threads are taken. Who computes (crypto, zlib) is the cause; file and name lookups are its victims.',
});

/** On a host this crowded every thread is late, the pool's too. */
const CROWDED_SHARE = 0.3;

async function* playbook(see: OperatorView): Step<Conclusion> {
  const seen = yield* lookAtWaiting(see);
  const pool = seen.threadpool;
  if (!pool) return { outcome: 'inconclusive', summary: 'The latency of the thread pool could not be measured.' };
  const jobs = seen.dump ? jobGroups(seen.dump) : [];
  const fills = isFull(pool) ? jobs.some(job => job.computes) : jobsUnderWay(jobs, seen) >= pool.threads;
  if (!isSaturated(pool) && !(isQueueing(pool) && fills)) {
    return {
      outcome: 'healthy',
      summary: `A trivial job gets a thread within ${sayMs(pool.p50Ms)} (median of ${pool.probes}).`,
    };
  }
  if (jobs.length === 0 && (seen.vitals?.runQueueShare ?? 0) >= CROWDED_SHARE)
    return {
      outcome: 'healthy',
      summary: `A trivial job gets a thread within ${sayMs(pool.p50Ms)}, but the threads themselves wait for a core: no job was seen that fills them.`,
    };
  const draft = yield* draftOf(see, pool, jobs);
  yield* see.setState('warning', draft.title ?? draft.observation);
  yield* see.notify(draft);
  return { outcome: 'found', summary: draft.observation };
}

/**
 * How many computing jobs were queued or at work on average, by Little's law. Of the window's requests only some were
 * recorded, so the jobs that serve requests are counted by the routes' own flow.
 */
function jobsUnderWay(jobs: readonly JobGroup[], { dump, look }: WaitingLook): number {
  const windowMs = Math.max(1, dump?.windowMs ?? 0);
  const ms = jobs.filter(job => computes(job.type)).reduce((sum, job) => sum + job.totalMs, 0);
  const byRoute = new Map<string, number>();
  for (const { route, natives, share } of look?.places ?? []) {
    const flow = natives.some(computes) ? look?.flows.find(each => each.route === route) : undefined;
    const inFlight = flow ? (flow.out * flow.p50Ms) / windowMs : 0;
    byRoute.set(route, Math.max(byRoute.get(route) ?? 0, inFlight * share));
  }
  return Math.max(
    ms / windowMs,
    [...byRoute.values()].reduce((sum, count) => sum + count, 0),
  );
}

async function* draftOf(see: OperatorView, pool: Threadpool, jobs: readonly JobGroup[]): Step<NotificationDraft> {
  const worst = jobs[0];
  const culprit = worst?.place ? yield* placeOfFrame(see, worst.place, worst.user.slice(1)) : undefined;
  const who = culprit ? `\`${culprit.function || culprit.file}\`` : 'Somebody';
  const queued = worst
    ? ` ${worst.count} ${worst.type} jobs from one place in the window, ${worst.pending} of them not done.`
    : '';
  return {
    anomalyType: 'threadpool-saturated',
    faultClass: 'threadpool.saturation',
    severity: 'warning',
    title: `${who} fills all ${pool.threads} threads of libuv's pool`,
    context: `A trivial fs.readlink ten times a second; the loop itself answers within ${sayMs(pool.loopP50Ms)} (median).`,
    observation: `A trivial file lookup waits ${sayMs(pool.p50Ms)} (median) and up to ${sayMs(pool.maxMs)} for one of ${pool.threads} threads.${queued}`,
    hypothesis: 'Long jobs occupy every thread; file access, name lookups and compression wait behind them.',
    fix: 'Limit how many such jobs run at once, move them to a worker or another process, or raise UV_THREADPOOL_SIZE up to the number of cores.',
    ...(culprit ? { culprit } : {}),
    metrics: [
      { name: 'probe p50', value: pool.p50Ms, unit: 'ms' },
      { name: 'probe max', value: pool.maxMs, unit: 'ms' },
      { name: 'loop p50', value: pool.loopP50Ms, unit: 'ms' },
      ...(worst
        ? [
            { name: `${worst.type} jobs`, value: worst.count, unit: 'jobs' },
            { name: 'jobs not done', value: worst.pending, unit: 'jobs' },
          ]
        : []),
    ],
    evidenceIds: [...see.evidenceIds],
    mechanism: worst !== undefined,
    confidence: worst?.computes ? 'high' : 'medium',
  };
}

function numbersOf({ threads, probes, unanswered, p50Ms, maxMs, loopP50Ms, pending }: Threadpool) {
  return {
    threads,
    probes,
    unanswered,
    p50Ms,
    maxMs,
    loopP50Ms,
    pending: pending.map(({ type, most }) => ({ type, most })),
  };
}
