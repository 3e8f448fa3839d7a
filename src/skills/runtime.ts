import { z } from 'zod';
import { sayBytes, sayMs, sayShare } from '../base/say.js';
import { isUsable } from '../model/evidence/index.js';
import type { Vitals, VitalsSample } from '../model/evidence/vitals.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { biggestHolder } from './biggest-holder.js';
import { unread } from './unread.js';

/** Health thresholds of the design (§7): share of the limit that live memory fills. */
const WARNING_SHARE = 0.75;
const CRITICAL_SHARE = 0.9;
/** A reading this late after its collection counts what was allocated meanwhile; below it that is noise. */
const MAX_LATE_MS = 250;
/** Long enough for a full collection of any program that allocates at all near its limit (one each 1–2 s measured). */
const LONGER_SECONDS = 10;
const SECONDS = 5;

const vitals = { kind: 'vitals', params: { seconds: SECONDS } } as const;

export const runtime = defineSkill({
  id: 'runtime',
  title: 'Node runtime',
  description: 'Overall health of the process: memory against its limits, loop, cpu, handles',
  scope:
    'The process as a whole and how near it is to its memory limits. Not who holds the memory (heap, collections), not what uses the cpu (cpu).',
  words: ['runtime', 'health', 'healthy', 'oom', 'limit', 'memory', 'crash', 'slow', 'status', 'overall'],
  needs: { vitals },
  snapshot: given => (given.vitals === undefined ? undefined : numbersOf(given.vitals)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'vitals',
      doc: 'Memory, loop delay, collections and cpu over a window of 1 to 30 seconds.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(SECONDS) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('vitals', { seconds });
        return isUsable(reading) ? numbersOf(reading.data) : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
    defineQuery({
      name: 'heap_spaces',
      doc: "Used and reserved bytes of each of V8's heap spaces, now.",
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('vitals', { seconds: 1 });
        if (!isUsable(reading)) return unread(reading);
        return (reading.data.samples.at(-1)?.spaces ?? []).map(space => ({ ...space }));
      },
    }),
    defineQuery({
      name: 'active_resources',
      doc: 'What keeps the event loop alive, counted by type (timers, sockets, servers, file operations).',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('vitals', { seconds: 1 });
        return isUsable(reading) ? { ...reading.data.samples.at(-1)?.activeResources } : unread(reading);
      },
    }),
  ],
  prompt:
    'heapUsed contains garbage: only liveHeapBytes (right after a full collection) says how full the heap is. A high resident size alone is no fault.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const snapshot = yield* see.snapshot();
  const first = yield* see.ask('vitals', vitals.params);
  if (!isUsable(first)) {
    return { outcome: 'inconclusive', summary: `The vital signs could not be read: ${first.reason ?? 'no reason'}.` };
  }
  const reading = needsLonger(first.data) ? yield* see.ask('vitals', { seconds: LONGER_SECONDS }) : first;
  const data = isUsable(reading) ? reading.data : first.data;
  const alarms = [heapAlarm(data), containerAlarm(data)].filter(alarm => alarm !== undefined);
  for (const alarm of alarms) {
    yield* see.setState(alarm.severity === 'critical' ? 'critical' : 'warning', alarm.title ?? alarm.observation);
    const holder = yield* biggestHolder(see, liveBytes(data) ?? last(data).heapUsedBytes);
    yield* see.notify({
      ...alarm,
      ...(holder && { ...holder, observation: `${alarm.observation} ${holder.observation}` }),
      evidenceIds: [isUsable(reading) ? reading.id : first.id, ...(holder?.evidenceIds ?? [])],
      ...(snapshot ? { snapshotIds: [snapshot.id] } : {}),
    });
  }
  if (alarms[0]) return { outcome: 'found', summary: alarms[0].observation };
  if (needsLonger(data)) return { outcome: 'inconclusive', summary: unknownLiveness(data) };
  return { outcome: 'healthy', summary: healthySentence(data) };
}

type Alarm = Omit<NotificationDraft, 'evidenceIds'>;

/** Used memory is near the limit, but no collection told yet how much of it is garbage. */
const needsLonger = (data: Vitals): boolean =>
  liveBytes(data) === undefined && last(data).heapUsedBytes > heapLimit(data) * WARNING_SHARE;

function heapAlarm(data: Vitals): Alarm | undefined {
  const live = liveBytes(data);
  const limit = heapLimit(data);
  if (live === undefined || live < limit * WARNING_SHARE) return undefined;
  const critical = live >= limit * CRITICAL_SHARE;
  return {
    anomalyType: 'live-heap-near-limit',
    faultClass: 'memory.near-limit',
    severity: critical ? 'critical' : 'warning',
    title: `Live heap fills ${sayShare(live / limit)} of its limit of ${sayBytes(limit)}${critical ? ': V8 will soon end the process' : ''}`,
    context: `Measured right after full collections, so garbage is not counted; up ${sayMs(data.uptimeSeconds * 1000)}.`,
    observation: `${sayBytes(live)} of heap are live after collection; V8 allows ${sayBytes(limit)} (${sayShare(live / limit)}).`,
    hypothesis: 'Something keeps more and more objects alive, or the limit is too small for the work.',
    fix: 'Find the holder (operators heap and collections). If all of it is needed, raise --max-old-space-size, below the memory limit of the container.',
    metrics: [
      bytes('live heap', live),
      bytes('limit', limit),
      percent('share of the limit', live / limit),
      upSeconds(data),
    ],
    confidence: 'high',
  };
}

/** What no collection can give back (live heap plus everything outside the heap) against the container's limit. */
function containerAlarm(data: Vitals): Alarm | undefined {
  const limit = data.memoryLimitBytes;
  const { rssBytes, heapTotalBytes, heapUsedBytes } = last(data);
  const kept = Math.min(rssBytes, (liveBytes(data) ?? heapUsedBytes) + Math.max(0, rssBytes - heapTotalBytes));
  if (limit === undefined || kept < limit * WARNING_SHARE) return undefined;
  const critical = kept >= limit * CRITICAL_SHARE;
  return {
    anomalyType: 'resident-near-container-limit',
    faultClass: 'memory.near-limit',
    severity: critical ? 'critical' : 'warning',
    title: `The process needs ${sayShare(kept / limit)} of the container's ${sayBytes(limit)} of memory${critical ? ': the kernel may kill it' : ''}`,
    context: `Resident memory is ${sayBytes(rssBytes)}; V8 may grow its heap up to ${sayBytes(last(data).heapLimitBytes)}.`,
    observation: `${sayBytes(kept)} are in use without collectable heap, of a limit of ${sayBytes(limit)} (${sayShare(kept / limit)}).`,
    fix: 'Find what holds the memory (operators heap, collections and allocator), and keep --max-old-space-size well below the container limit.',
    metrics: [
      bytes('resident', rssBytes),
      bytes('kept', kept),
      bytes('container limit', limit),
      bytes('V8 limit', last(data).heapLimitBytes),
      percent('share of the limit', kept / limit),
    ],
    confidence: 'medium',
  };
}

function unknownLiveness(data: Vitals): string {
  const used = last(data).heapUsedBytes;
  return `The heap uses ${sayBytes(used)} of ${sayBytes(heapLimit(data))}, but no full collection ran in ${sayMs(data.seconds * 1000)}: how much of it is garbage is unknown.`;
}

function healthySentence(data: Vitals): string {
  const { rssBytes, heapUsedBytes } = last(data);
  const live = liveBytes(data);
  const heap = live === undefined ? `heap ${sayBytes(heapUsedBytes)}` : `live heap ${sayBytes(live)}`;
  return `Resident ${sayBytes(rssBytes)}, ${heap} of at most ${sayBytes(heapLimit(data))}, cpu ${Math.round(data.cpuPercent)} %, loop busy ${sayShare(data.elu)}, loop delay at most ${sayMs(data.loopDelay.maxMs)}, collections ${sayShare(data.gcShare)} of the time.`;
}

function numbersOf(data: Vitals): SnapshotData {
  const now = last(data);
  const live = liveBytes(data);
  const resources = Object.values(now.activeResources).reduce((sum, count) => sum + count, 0);
  return {
    rssBytes: now.rssBytes,
    heapUsedBytes: now.heapUsedBytes,
    heapTotalBytes: now.heapTotalBytes,
    heapLimitBytes: heapLimit(data),
    ...(live === undefined ? {} : { liveHeapBytes: live, liveHeapPercent: round((live / heapLimit(data)) * 100) }),
    ...(data.memoryLimitBytes === undefined ? {} : { containerLimitBytes: data.memoryLimitBytes }),
    externalBytes: now.externalBytes,
    arrayBuffersBytes: now.arrayBuffersBytes,
    mallocedBytes: now.mallocedBytes,
    elu: round(data.elu),
    cpuPercent: round(data.cpuPercent),
    ...(data.mainThreadPercent === undefined ? {} : { mainThreadPercent: round(data.mainThreadPercent) }),
    ...(data.runQueueShare === undefined ? {} : { runQueuePercent: round(data.runQueueShare * 100) }),
    loopDelayP50Ms: round(data.loopDelay.p50Ms),
    loopDelayP99Ms: round(data.loopDelay.p99Ms),
    loopDelayMaxMs: round(data.loopDelay.maxMs),
    gcPercent: round(data.gcShare * 100),
    handles: resources - now.requests,
    requests: now.requests,
    nativeContexts: now.nativeContexts,
    detachedContexts: now.detachedContexts,
    uptimeSeconds: Math.round(data.uptimeSeconds),
  };
}

/** The newest reading that was near enough to its collection. */
const liveBytes = (data: Vitals): number | undefined =>
  data.liveHeap.filter(({ lateMs }) => lateMs <= MAX_LATE_MS).at(-1)?.usedBytes;

const heapLimit = (data: Vitals): number => data.oldLimitBytes ?? last(data).heapLimitBytes;

// A window has at least its first and last sample.
const last = (data: Vitals): VitalsSample => data.samples.at(-1) as VitalsSample;

const round = (value: number): number => Math.round(value * 100) / 100;
const bytes = (name: string, value: number): Metric => ({ name, value, unit: 'bytes' });
const percent = (name: string, share: number): Metric => ({ name, value: round(share * 100), unit: '%' });
const upSeconds = (data: Vitals): Metric => ({ name: 'uptime', value: Math.round(data.uptimeSeconds), unit: 's' });
