import { z } from 'zod';
import { sayBytes, sayMs } from '../base/say.js';
import { isUsable } from '../model/evidence/index.js';
import type { Vitals, VitalsSample } from '../model/evidence/vitals.js';
import type { NotificationDraft } from '../model/notification.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;
/** Long enough for a native leak to show in every quarter; a warming service stops growing in one of them. */
const LONGER = { seconds: 20 } as const;
const QUARTERS = 4;
/** Resident memory outside of V8 that grows this fast in each quarter, in bytes a second. Warm-up has pauses. */
const NATIVE_RATE = 300_000;
/** The same for buffers; their garbage is only freed at a full collection, so the lowest points are compared. */
const EXTERNAL_RATE = 300_000;
/** In the short window this much is needed to look longer. */
const SUSPICIOUS_RATE = 150_000;
const OBSERVED_MS = 60_000;

type Part = (sample: VitalsSample) => number;
const external: Part = sample => sample.externalBytes;
const native: Part = sample => sample.rssBytes - sample.heapTotalBytes - sample.externalBytes;

export const allocator = defineSkill({
  id: 'allocator',
  title: 'Memory outside the heap',
  description: "Buffers and native memory: what is resident but not in V8's heap",
  scope: 'Resident memory minus the V8 heap: ArrayBuffers, native add-ons, fragmentation. JavaScript objects are heap.',
  words: ['rss', 'native', 'buffer', 'buffers', 'external', 'arraybuffer', 'malloc', 'fragmentation', 'oom', 'memory'],
  needs: { vitals },
  snapshot: given => (given.vitals ? numbersOf(given.vitals) : undefined),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'memory_parts',
      doc: 'Resident memory split into V8 heap, external (buffers) and the native rest, first and last of a window.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(5) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('vitals', { seconds });
        return isUsable(reading) ? numbersOf(reading.data) : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
  ],
  prompt:
    'Resident memory that stays high after a peak is the allocator keeping pages, not a leak. External memory belongs to buffers: heap names who holds them.',
});

function numbersOf({ samples }: Vitals): SnapshotData {
  const parts = (sample: VitalsSample | undefined) =>
    sample
      ? {
          rssBytes: sample.rssBytes,
          heapTotalBytes: sample.heapTotalBytes,
          externalBytes: sample.externalBytes,
          arrayBuffersBytes: sample.arrayBuffersBytes,
          nativeBytes: native(sample),
          mallocedBytes: sample.mallocedBytes,
        }
      : null;
  return { first: parts(samples[0]), last: parts(samples.at(-1)) };
}

async function* playbook(see: OperatorView): Step<Conclusion> {
  yield* see.snapshot();
  const short = yield* see.ask('vitals', vitals.params, OBSERVED_MS);
  if (!isUsable(short)) return { outcome: 'inconclusive', summary: `No vital signs: ${short.reason ?? 'no reason'}.` };
  if (!isSuspicious(short.data)) return { outcome: 'healthy', summary: partsSentence(short.data) };
  const long = yield* see.ask('vitals', LONGER, OBSERVED_MS);
  if (!isUsable(long)) return { outcome: 'inconclusive', summary: partsSentence(short.data) };
  const draft = growthOf(long.data);
  if (!draft) return { outcome: 'healthy', summary: partsSentence(long.data) };
  yield* see.setState('warning', draft.title ?? draft.observation);
  yield* see.notify({ ...draft, evidenceIds: [long.id] });
  return { outcome: 'found', summary: draft.observation };
}

const isSuspicious = ({ samples, seconds }: Vitals): boolean =>
  [external, native].some(part => {
    const [first, last] = [samples[0], samples.at(-1)];
    return first !== undefined && last !== undefined && (part(last) - part(first)) / seconds > SUSPICIOUS_RATE;
  });

function growthOf(data: Vitals): Omit<NotificationDraft, 'evidenceIds'> | undefined {
  const buffers = steadyRate(data, external);
  if (buffers >= EXTERNAL_RATE) return bufferDraft(data, buffers);
  const rate = steadyRate(data, native);
  return rate >= NATIVE_RATE ? nativeDraft(data, rate) : undefined;
}

/** The slowest rise between the lowest points of neighbouring quarters, in bytes a second: 0 when one doesn't rise. */
function steadyRate({ samples, seconds }: Vitals, part: Part): number {
  const size = Math.floor(samples.length / QUARTERS);
  if (size < 2) return 0;
  const lows = Array.from({ length: QUARTERS }, (_, quarter) =>
    Math.min(...samples.slice(quarter * size, (quarter + 1) * size).map(part)),
  );
  const rises = lows.slice(1).map((low, i) => low - (lows[i] ?? low));
  return Math.max(0, Math.min(...rises)) / (seconds / QUARTERS);
}

type Draft = Omit<NotificationDraft, 'evidenceIds'>;

function bufferDraft(data: Vitals, rate: number): Draft {
  return {
    ...common(data, external, rate),
    anomalyType: 'external-growth',
    faultClass: 'memory.external',
    title: `Buffers outside the heap grow by ${sayBytes(rate)}/s`,
    hypothesis: 'Buffers are kept, or views of them: a small slice keeps its whole ArrayBuffer.',
    fix: 'See which holder the heap operator names; copy the bytes that must stay, and drop the rest.',
  };
}

function nativeDraft(data: Vitals, rate: number): Draft {
  return {
    ...common(data, native, rate),
    anomalyType: 'native-growth',
    faultClass: 'memory.native',
    title: `Native memory grows by ${sayBytes(rate)}/s while V8's heap and buffers do not explain it`,
    hypothesis: 'A native add-on or library does not free what it allocates, or the allocator fragments.',
    fix: 'Look for native add-ons (process.report, sharedObjects); try jemalloc or MALLOC_ARENA_MAX=2 to tell fragmentation from a leak.',
  };
}

function common({ samples, seconds }: Vitals, part: Part, rate: number) {
  const [first, last] = [samples[0] as VitalsSample, samples.at(-1) as VitalsSample]; // steadyRate needed eight of them
  return {
    severity: 'warning' as const,
    context: `Resident memory ${first.rssBytes} B, then ${last.rssBytes} B; V8's heap ${first.heapTotalBytes} B, then ${last.heapTotalBytes} B.`,
    observation: `It rose in every quarter of ${sayMs(seconds * 1000)}, from ${sayBytes(part(first))} to ${sayBytes(part(last))}.`,
    metrics: [{ name: 'growth', value: Math.round(rate), unit: 'B/s' }],
    confidence: 'low' as const,
  };
}

function partsSentence({ samples }: Vitals): string {
  const last = samples.at(-1);
  if (!last) return 'No sample of the memory was taken.';
  return `Of ${sayBytes(last.rssBytes)} resident, ${sayBytes(last.heapTotalBytes)} are V8's heap, ${sayBytes(last.externalBytes)} buffers and other external memory; none of it grows without pause.`;
}
