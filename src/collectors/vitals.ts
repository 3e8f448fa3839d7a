import type { RawGc, RawVitals, RawWindow } from '../agents/vitals/raw.js';
import type { Session } from '../inspector/session.js';
import type { GcCount, Vitals, VitalsSample } from '../model/evidence/vitals.js';
import type { Collector } from './collector.js';
import { loopDelay } from './loop-delay.js';
import { type MainThread, readMainThread } from './main-thread.js';

/** One evaluate a second: 0.1 ms of the target's time each, far below what can be measured. */
const SAMPLE_EVERY_S = 1;
/** A call that takes longer than this: the target stands still longer than a window is worth. */
const CALL_TIMEOUT_MS = 30_000;

/** getActiveResourcesInfo's names for operations under way; all others are handles and timers. */
const REQUEST_TYPE = /Req(Wrap|Callback|Promise)?$|ConnectWrap$|^(Write|Shutdown|Send)Wrap$|SendWrap$/;

const GC_KINDS: { readonly [kind: string]: GcCount['kind'] } = {
  1: 'scavenge',
  2: 'scavenge',
  4: 'mark-compact',
  8: 'incremental',
  16: 'weak-callbacks',
};

interface Moment {
  readonly raw: RawVitals;
  readonly thread?: MainThread;
}

let askers = 0;

/** Memory, loop delay, collections and cpu over a window; free for the target. */
export const vitalsCollector: Collector<'vitals'> = {
  kind: 'vitals',
  title: 'Vital signs',
  cost: 'free',
  async collect(session, { seconds, sampleEvery = SAMPLE_EVERY_S, untilKnown }, context) {
    await session.agent.install('vitals');
    const asker = `window-${++askers}`;
    const moments: Moment[] = [withThread(session, await call<RawVitals>(session, 'open', asker))];
    const until = context.now() + seconds * 1000;
    const isEnough = () => untilKnown === true && (context.causeKnown?.() ?? false);
    try {
      const every = sampleEvery * 1000;
      for (let left = until - context.now(); left > every * 1.5; left = until - context.now()) {
        await context.sleep(every);
        moments.push(withThread(session, await call<RawVitals>(session, 'read')));
        if (isEnough()) break;
      }
      if (!isEnough()) await context.sleep(Math.max(0, until - context.now()));
    } catch (error) {
      // The window must not stay open in the target; a lost target needs no closing.
      await call<RawWindow>(session, 'close', asker).catch(() => undefined);
      throw error;
    }
    const end = await call<RawWindow>(session, 'close', asker);
    return { data: toVitals([...moments, withThread(session, end.vitals)], end), pausedMs: 0 };
  },
};

/** One sample at once, for the first line of output: utilization and cpu are averages since the process began. */
export async function readVitalsOnce(session: Session): Promise<VitalsSample> {
  await session.agent.install('vitals');
  return toSample({ raw: await call<RawVitals>(session, 'read') }, undefined);
}

const call = <T>(session: Session, method: string, ...args: string[]): Promise<T> =>
  session.agent.call<T>('vitals', method, args, { timeoutMs: CALL_TIMEOUT_MS });

function withThread(session: Session, raw: RawVitals): Moment {
  // Of a worker thread the kernel's numbers would be the main thread's.
  const thread = 'workerId' in session ? undefined : readMainThread(session.target.pid);
  return thread === undefined ? { raw } : { raw, thread };
}

function toVitals(moments: readonly Moment[], end: RawWindow): Vitals {
  const first = moments[0] as Moment; // opened above
  const last = moments.at(-1) as Moment;
  const wallMs = Math.max(1, last.raw.now - first.raw.now);
  const gc = gcCounts(end.gc);
  const runQueueShare = shareOf(first, last, 'waitedNs');
  const mainThread = shareOf(first, last, 'ranNs');
  return {
    seconds: wallMs / 1000,
    samples: moments.map((moment, i) => toSample(moment, moments[i - 1])),
    elu: utilization(last.raw, first.raw),
    cpuPercent: cpuPercent(last.raw, first.raw),
    ...(mainThread === undefined ? {} : { mainThreadPercent: mainThread * 100 }),
    loopDelay: loopDelay(end, wallMs),
    gc,
    gcShare: Math.min(1, gc.reduce((sum, { totalMs }) => sum + totalMs, 0) / wallMs),
    liveHeap: end.gc.live
      .filter(({ at }) => at >= first.raw.now)
      .map(({ at, used, late }) => ({ at: end.vitals.timeOrigin + at, usedBytes: used, lateMs: Math.max(0, late) })),
    ...(runQueueShare === undefined ? {} : { runQueueShare }),
    ...(end.limit === undefined ? {} : { memoryLimitBytes: end.limit }),
    ...(end.oldLimit === undefined ? {} : { oldLimitBytes: end.oldLimit }),
    uptimeSeconds: end.vitals.uptimeSeconds,
  };
}

function toSample({ raw, thread }: Moment, before: Moment | undefined): VitalsSample {
  const share =
    before === undefined ? undefined : shareOf(before, thread === undefined ? { raw } : { raw, thread }, 'ranNs');
  const loops = before?.raw.loopCount === undefined ? undefined : (raw.loopCount ?? 0) - before.raw.loopCount;
  return {
    at: raw.timeOrigin + raw.now,
    rssBytes: raw.rss,
    heapUsedBytes: raw.heapUsed,
    heapTotalBytes: raw.heapTotal,
    heapLimitBytes: raw.heapLimit,
    externalBytes: raw.external,
    arrayBuffersBytes: raw.arrayBuffers,
    mallocedBytes: raw.malloced,
    nativeContexts: raw.nativeContexts,
    detachedContexts: raw.detachedContexts,
    spaces: raw.spaces.map(([name, usedBytes, sizeBytes]) => ({ name, usedBytes, sizeBytes })),
    elu: utilization(raw, before?.raw),
    cpuPercent: cpuPercent(raw, before?.raw),
    ...(share === undefined ? {} : { mainThreadPercent: share * 100 }),
    activeResources: raw.resources,
    requests: requestCount(raw.resources),
    ...(loops === undefined ? {} : { loopCount: loops }),
    involuntarySwitches: raw.involuntary,
  };
}

function utilization(now: RawVitals, before: RawVitals | undefined): number {
  const active = now.eluActive - (before?.eluActive ?? 0);
  const idle = now.eluIdle - (before?.eluIdle ?? 0);
  return active + idle > 0 ? active / (active + idle) : 0;
}

function cpuPercent(now: RawVitals, before: RawVitals | undefined): number {
  const micros = now.cpuMicros - (before?.cpuMicros ?? 0);
  const wallMs = before === undefined ? now.uptimeSeconds * 1000 : now.now - before.now;
  return wallMs > 0 ? micros / 10 / wallMs : 0;
}

function shareOf(before: Moment, after: Moment, what: 'ranNs' | 'waitedNs'): number | undefined {
  const [from, to] = [before.thread?.[what], after.thread?.[what]];
  const wallNs = (after.raw.now - before.raw.now) * 1e6;
  return from === undefined || to === undefined || wallNs <= 0 ? undefined : Math.min(1, (to - from) / wallNs);
}

const requestCount = (resources: { readonly [type: string]: number }): number =>
  Object.entries(resources).reduce((sum, [type, count]) => sum + (REQUEST_TYPE.test(type) ? count : 0), 0);

function gcCounts(gc: RawGc): GcCount[] {
  const byKind = new Map<GcCount['kind'], GcCount>();
  for (const [number, sum] of Object.entries(gc.kinds)) {
    const kind = GC_KINDS[number] ?? 'other';
    const before = byKind.get(kind) ?? { kind, count: 0, totalMs: 0, maxMs: 0 };
    byKind.set(kind, {
      kind,
      count: before.count + sum.count,
      totalMs: before.totalMs + sum.ms,
      maxMs: Math.max(before.maxMs, sum.max),
    });
  }
  return [...byKind.values()];
}
