import { z } from 'zod';
import { sayBytes, sayCount, sayMs, sayShare } from '../base/say.js';
import { type AllocationSite, allocationSites } from '../heap/growth/allocation-sites.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { CodeLocation } from '../model/location.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { place } from './place.js';
import { sitesOf } from './survivors.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;
/** All allocations, not only survivors: what is collected again is what keeps the collector busy. */
const SAMPLING = { seconds: 4, intervalBytes: 128 * 1024, all: true } as const;

/** Services that allocate hard and are well stay below a fifth of the time; above it requests wait for the collector. */
const WARNING_SHARE = 0.25;
const CRITICAL_SHARE = 0.5;
/** On a machine this crowded a collection is long because its threads wait for a core. */
const CROWDED_SHARE = 0.3;
/** Busy enough to say whose allocations they are, without alarm. */
const NOTABLE_SHARE = 0.08;
/** Of the time the loop is busy: services that are well stay below a tenth (25 measured), whatever their load is. */
const OF_WORK_SHARE = 0.33;
/** One function that makes this share of all garbage is worth changing. */
const FEEDER_SHARE = 0.3;
const OBSERVED_MS = 60_000;

export const gc = defineSkill({
  id: 'gc',
  title: 'Garbage collection',
  description: 'How much time the collector takes, and what feeds it',
  scope:
    'Time spent collecting and the allocations behind it. Who keeps objects alive is heap; a leak that makes the collector busy is one cause, not two.',
  words: ['gc', 'garbage', 'collection', 'collector', 'pause', 'pauses', 'allocation', 'allocations'],
  needs: { vitals },
  snapshot: given => (given.vitals ? numbersOf(given.vitals) : undefined),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'collections_by_kind',
      doc: 'Counts, total and longest milliseconds of scavenges and mark-compacts in a window.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(5) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('vitals', { seconds });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return reading.data.gc.map(one => ({ ...one }));
      },
    }),
    defineQuery({
      name: 'garbage_sites',
      doc: 'Application functions that allocate most, what was collected again included.',
      params: z.object({ seconds: z.number().int().min(2).max(15).default(4) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('heap-sampling', { ...SAMPLING, seconds });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return allocationSites(reading.data)
          .slice(0, 10)
          .map(({ frame, bytes, share }) => ({
            function: frame.functionName || '(anonymous)',
            file: frame.url,
            line: frame.lineNumber + 1,
            bytesPerSecond: Math.round(bytes / seconds),
            share,
          }));
      },
    }),
  ],
  prompt:
    'A busy collector is a cost, not by itself a fault: below a quarter of the time and a third of the work only say what feeds it. If the live heap grows, the leak is the cause and the collector its symptom.',
});

function numbersOf(data: Vitals): SnapshotData {
  return {
    gcShare: data.gcShare,
    elu: data.elu,
    kinds: data.gc.map(({ kind, count, totalMs, maxMs }) => ({ kind, count, totalMs, maxMs })),
    lastLiveHeapBytes: data.liveHeap.at(-1)?.usedBytes ?? null,
  };
}

async function* playbook(see: OperatorView): Step<Conclusion> {
  yield* see.snapshot();
  const reading = yield* see.ask('vitals', vitals.params, OBSERVED_MS);
  if (!isUsable(reading))
    return { outcome: 'inconclusive', summary: `No vital signs: ${reading.reason ?? 'no reason'}.` };
  const { data } = reading;
  if (data.gcShare < NOTABLE_SHARE) return { outcome: 'healthy', summary: `${costSentence(data)}: no pressure.` };
  const sampling = yield* see.ask('heap-sampling', SAMPLING, OBSERVED_MS);
  const [site] = isUsable(sampling) ? yield* sitesOf(see, sampling.data) : [];
  const feeder = site && site.share >= FEEDER_SHARE ? site : undefined;
  const culprit = feeder && (yield* placeOf(see, feeder));
  if (shareOf(data) < WARNING_SHARE && !(culprit && ofWork(data) >= OF_WORK_SHARE)) {
    const fed = culprit
      ? ` Most of it is allocated by ${culprit.function ?? 'the code'} at ${culprit.file}:${culprit.line}.`
      : '';
    return { outcome: 'healthy', summary: `${costSentence(data)}: busy, but bearable.${fed}` };
  }
  const readings = [reading, ...(isUsable(sampling) ? [sampling] : [])];
  return yield* alarm(see, { data, feeder, culprit, readings });
}

/** Of the time, as a machine would have it that has a core for everybody. */
function shareOf({ gcShare, runQueueShare = 0 }: Vitals): number {
  return runQueueShare < CROWDED_SHARE ? gcShare : gcShare * (1 - runQueueShare);
}

/** The collector's part of what the loop does, the longest collection left out: it may be one that lens forced. */
function ofWork({ gc: kinds, elu, seconds }: Vitals): number {
  const total = kinds.reduce((sum, { totalMs }) => sum + totalMs, 0);
  const longest = Math.max(0, ...kinds.map(({ maxMs }) => maxMs));
  return elu > 0 ? (total - longest) / (elu * seconds * 1000) : 0;
}

function placeOf(see: OperatorView, { frame }: AllocationSite): Step<CodeLocation> {
  return place(see, { ...frame, line: frame.lineNumber, column: frame.columnNumber });
}

interface Pressure {
  readonly data: Vitals;
  readonly feeder: AllocationSite | undefined;
  readonly culprit: CodeLocation | undefined;
  readonly readings: readonly Evidence[];
}

async function* alarm(see: OperatorView, { data, feeder, culprit, readings }: Pressure): Step<Conclusion> {
  const severity = shareOf(data) >= CRITICAL_SHARE ? 'critical' : 'warning';
  const who = culprit ? `, fed by ${culprit.function ?? 'the code'} (${culprit.file}:${culprit.line})` : '';
  const howMuch =
    shareOf(data) < WARNING_SHARE ? `${sayShare(ofWork(data))} of the work` : `${sayShare(data.gcShare)} of the time`;
  const title = `Garbage collection takes ${howMuch}${who}`;
  yield* see.setState(severity, title);
  yield* see.notify({
    anomalyType: 'gc-pressure',
    faultClass: 'gc.pressure',
    severity,
    title,
    context: `Event loop utilization ${sayShare(data.elu)} over ${sayMs(data.seconds * 1000)}; of what the loop does, ${sayShare(ofWork(data))} is collecting.`,
    observation: `${costSentence(data)}.${feeder ? ` ${sayShare(feeder.share)} of what is allocated comes from one function.` : ''}`,
    hypothesis:
      'Objects are made and dropped faster than the young generation can hold, or the live heap fills its limit.',
    ...(culprit && { culprit }),
    fix: culprit
      ? `Allocate less in ${culprit.function ?? 'this function'}: reuse buffers and objects, avoid copies (spread, map and filter chains, JSON round trips) per call.`
      : 'Find what allocates (garbage_sites), or give the young generation more room: --max-semi-space-size.',
    metrics: [{ name: 'share of time', value: data.gcShare * 100, unit: '%' }],
    evidenceIds: readings.map(one => one.id),
    mechanism: culprit !== undefined,
    confidence: culprit ? 'medium' : 'low',
  });
  return { outcome: 'found', summary: `${title}.` };
}

function costSentence(data: Vitals): string {
  const count = data.gc.reduce((sum, one) => sum + one.count, 0);
  const longest = Math.max(0, ...data.gc.map(one => one.maxMs));
  const live = data.liveHeap.at(-1);
  const left = live ? `, live heap ${sayBytes(live.usedBytes)}` : '';
  return `${sayCount(count)} collections took ${sayShare(data.gcShare)} of ${sayMs(data.seconds * 1000)}, the longest ${sayMs(longest)}${left}`;
}
