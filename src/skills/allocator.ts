import { z } from 'zod';
import { sayBytes, sayMs } from '../base/say.js';
import { isUsable, type UsableEvidence } from '../model/evidence/index.js';
import type { Vitals, VitalsSample } from '../model/evidence/vitals.js';
import { isSure, type NotificationDraft } from '../model/notification.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { type NativePlace, unrevoked, wasmCaller } from './native-place.js';
import { nameOf } from './place.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;
/** Windows like the first one, long enough together for a native leak to show; a warming service pauses in one of them. */
const QUARTERS = 4;
/** Windows more without another operator's word for it: by then other readings are over (profiles take native memory too). */
const CONFIRMING = 2;
/** A leak goes on at about its pace; what a start or a profile brings slows down. */
const SAME_PACE = 0.5;
/** Resident memory outside of V8 that grows this fast in each quarter, in bytes a second. Warm-up has pauses. */
const NATIVE_RATE = 300_000;
/** The same for buffers; their garbage is only freed at a full collection, so the lowest points are compared. */
const EXTERNAL_RATE = 300_000;
/** In the short window this much is needed to look longer. */
const SUSPICIOUS_RATE = 150_000;
/** Samples that must come after the lowest one. */
const LEAST_RISING = 2;
const UNTIL_KNOWN = { ...vitals.params, untilKnown: true } as const;
const OBSERVED_MS = 60_000;
/** A new window, not the one that somebody just read. */
const ANEW = 0;

type Part = (sample: VitalsSample) => number;
/** Also what V8 does not count as external: what Blobs hold. */
const buffers: Part = sample => Math.max(sample.externalBytes, sample.arrayBuffersBytes);
/** WebAssembly's memory is external in large steps, and resident as it is used. */
const native: Part = sample => sample.rssBytes - sample.heapTotalBytes - sample.arrayBuffersBytes;

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
  const windows = yield* watchWhileItGrows(see, short.data);
  if (windows.length === 0) return { outcome: 'inconclusive', summary: partsSentence(short.data) };
  const draft = windows.length === QUARTERS ? growthOf(windows.map(({ data }) => data)) : undefined;
  if (!draft) return { outcome: 'healthy', summary: partsSentence((windows.at(-1) ?? short).data) };
  const known = yield* leakIsKnown(see);
  const again = known ? [] : yield* goesOn(see, draft, windows);
  if (!again) return { outcome: 'healthy', summary: `Memory outside the heap grew for a while and stopped.` };
  yield* see.setState('warning', draft.title ?? draft.observation);
  const evidenceIds = [...windows, ...again].map(({ id }) => id);
  const found = known ? undefined : ((yield* unrevoked(see)) ?? (yield* wasmCaller(see)));
  const told = found ? placedDraft(draft, found) : draft;
  const ids = found ? [...evidenceIds, found.evidenceId] : evidenceIds;
  yield* see.notify({ ...told, evidenceIds: ids, confidence: known ? 'low' : 'medium' });
  return { outcome: 'found', summary: draft.observation };
}

/** Another operator has named who keeps what grows: this is the same, seen from outside. */
async function* leakIsKnown(see: OperatorView): Step<boolean> {
  const noticed = yield* see.notifications();
  return noticed.some(({ draft }) => /^(?:memory|handles)\.leak\./.test(draft.faultClass));
}

/** Further windows in which it grows on at about its pace; undefined when it doesn't. */
async function* goesOn(
  see: OperatorView,
  draft: Draft,
  windows: readonly UsableEvidence<Vitals>[],
): Step<UsableEvidence<Vitals>[] | undefined> {
  const part = draft.faultClass === 'memory.external' ? buffers : native;
  const more: UsableEvidence<Vitals>[] = [];
  while (more.length < CONFIRMING) {
    const next = yield* see.ask('vitals', vitals.params, ANEW);
    if (!isUsable(next)) return undefined;
    more.push(next);
  }
  const later = [...windows.slice(-1), ...more].map(({ data }) => data);
  const pace = steadyRate(
    windows.map(({ data }) => data),
    part,
  );
  return steadyRate(later, part) >= SAME_PACE * pace ? more : undefined;
}

/**
 * One window after the other, and no more once nothing has risen from one to the next. Resident memory rises and falls
 * by itself, and by what lens reads: beside a known cause only buffers, which don't, are watched to the end.
 */
async function* watchWhileItGrows(see: OperatorView, before: Vitals): Step<UsableEvidence<Vitals>[]> {
  const windows: UsableEvidence<Vitals>[] = [];
  while (windows.length < QUARTERS) {
    const knew = yield* isCauseKnown(see);
    const next = yield* see.ask('vitals', knew ? vitals.params : UNTIL_KNOWN, ANEW);
    if (!isUsable(next)) break;
    windows.push(next);
    const read = windows.map(({ data }) => data);
    if (windows.length > 1 && !growthOf(read)) break;
    if (steadyRate([before, ...read], buffers) < EXTERNAL_RATE && (yield* isCauseKnown(see))) break;
  }
  return windows;
}

async function* isCauseKnown(see: OperatorView): Step<boolean> {
  return !see.urgent && (yield* see.notifications()).some(({ draft }) => isSure(draft));
}

/** From the lowest point on: what a start leaves behind is given back within the window. */
const isSuspicious = ({ samples, seconds }: Vitals): boolean =>
  [buffers, native].some(part => {
    const sizes = samples.slice(0, -LEAST_RISING).map(part);
    const low = Math.min(...sizes);
    const last = samples.at(-1);
    const rising = seconds * (1 - sizes.indexOf(low) / (samples.length - 1));
    return last !== undefined && (part(last) - low) / rising > SUSPICIOUS_RATE;
  });

function growthOf(windows: readonly Vitals[]): Draft | undefined {
  const external = steadyRate(windows, buffers);
  if (external >= EXTERNAL_RATE) return bufferDraft(windows, external);
  const rate = steadyRate(windows, native);
  return rate >= NATIVE_RATE ? nativeDraft(windows, rate) : undefined;
}

/** The slowest rise between the lowest points of neighbouring windows, in bytes a second: 0 when one doesn't rise. */
function steadyRate(windows: readonly Vitals[], part: Part): number {
  const lows = windows.map(({ samples }) => Math.min(...samples.map(part)));
  const rises = lows.slice(1).map((low, i) => (low - (lows[i] ?? low)) / (windows[i]?.seconds ?? 1));
  return Math.max(0, Math.min(...rises));
}

type Draft = Omit<NotificationDraft, 'evidenceIds'>;

function placedDraft(draft: Draft, { by, culprit }: NativePlace): Draft {
  const grows = `memory outside the heap grows by ${sayBytes(draft.metrics?.[0]?.value ?? 0)}/s`;
  return { ...draft, ...WORDS[by](nameOf(culprit), grows), culprit, mechanism: true };
}

const WORDS: Readonly<Record<NativePlace['by'], (where: string, grows: string) => Partial<Draft>>> = {
  wasm: (where, grows) => ({
    faultClass: 'memory.native',
    title: `${where} leaves memory behind in WebAssembly: ${grows}`,
    hypothesis:
      'What a WebAssembly library hands out lives in its own memory, which no collector looks at: it must be given back by hand.',
    fix: 'Give back what the library hands out when it is no longer needed (delete(), free(), close(), finalize()), in a finally block.',
  }),
  'object-url': (where, grows) => ({
    title: `${where} makes a url for each Blob and nothing revokes it: ${grows}`,
    hypothesis: 'URL.createObjectURL() keeps the Blob with all its bytes until URL.revokeObjectURL() is called.',
    fix: 'Call URL.revokeObjectURL() when the url is no longer needed, or pass the Blob itself.',
  }),
};

function bufferDraft(windows: readonly Vitals[], rate: number): Draft {
  return {
    ...common(windows, buffers, rate),
    anomalyType: 'external-growth',
    faultClass: 'memory.external',
    title: `Buffers outside the heap grow by ${sayBytes(rate)}/s`,
    hypothesis: 'Buffers are kept, or views of them: a small slice keeps its whole ArrayBuffer.',
    fix: 'See which holder the heap operator names; copy the bytes that must stay, and drop the rest.',
  };
}

function nativeDraft(windows: readonly Vitals[], rate: number): Draft {
  return {
    ...common(windows, native, rate),
    anomalyType: 'native-growth',
    faultClass: 'memory.native',
    title: `Native memory grows by ${sayBytes(rate)}/s while V8's heap and buffers do not explain it`,
    hypothesis: 'A native add-on or library does not free what it allocates, or the allocator fragments.',
    fix: 'Look for native add-ons (process.report, sharedObjects); try jemalloc or MALLOC_ARENA_MAX=2 to tell fragmentation from a leak.',
  };
}

function common(windows: readonly Vitals[], part: Part, rate: number) {
  const samples = windows.flatMap(window => window.samples);
  const seconds = windows.reduce((sum, window) => sum + window.seconds, 0);
  const [first, last] = [samples[0] as VitalsSample, samples.at(-1) as VitalsSample]; // a window has two or more
  return {
    severity: 'warning' as const,
    context: `Resident memory ${first.rssBytes} B, then ${last.rssBytes} B; V8's heap ${first.heapTotalBytes} B, then ${last.heapTotalBytes} B.`,
    observation: `It rose without pause for ${sayMs(seconds * 1000)}, from ${sayBytes(part(first))} to ${sayBytes(part(last))}.`,
    metrics: [{ name: 'growth', value: Math.round(rate), unit: 'B/s' }],
    confidence: 'low' as const,
  };
}

function partsSentence({ samples }: Vitals): string {
  const last = samples.at(-1);
  if (!last) return 'No sample of the memory was taken.';
  return `Of ${sayBytes(last.rssBytes)} resident, ${sayBytes(last.heapTotalBytes)} are V8's heap, ${sayBytes(last.externalBytes)} buffers and other external memory; none of it grows without pause.`;
}
