import { z } from 'zod';
import { sayBytes, sayCount, sayMs } from '../base/say.js';
import { allocationSites } from '../heap/growth/allocation-sites.js';
import { type Suspect, sortGrowth } from '../heap/growth/suspects.js';
import { boundedBy, liveRate, type Rest } from '../heap/growth/verdict.js';
import type { CollectionGrowth } from '../model/evidence/collection-growth.js';
import { isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { NotificationDraft } from '../model/notification.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { outgrown } from './growth-outgrown.js';
import { placeGrowth } from './growth-place.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import { heapHolders } from './heap-holders.js';
import { leakDraft } from './leak-draft.js';
import { SAMPLING } from './survivors.js';
import { isRisingUnexplained, unexplained } from './unexplained-growth.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;

/** Suspects looked at closely, each costs a few sources. */
const MOST_SUSPECTS = 4;
/** A second cause counts only when it weighs this share of the first. */
const SECOND_CAUSE = 0.1;

export const heap = defineSkill({
  id: 'heap',
  title: 'Heap',
  description: 'Memory that keeps growing: which variable holds it, and which line fills it',
  scope:
    'Objects of the main thread that the program itself keeps: collections, listeners, timers, closures, promises, modules. Not native memory (allocator), not how hard the collector works (gc).',
  words: ['memory', 'heap', 'leak', 'oom', 'ram', 'rss', 'grow', 'grows', 'growing', 'growth', 'cache', 'listener'],
  needs: { vitals },
  snapshot: given => (given.vitals ? numbersOf(given.vitals) : undefined),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'growing_containers',
      doc: 'What gains entries, with who holds it; takes 20 s the first time.',
      params: z.object({ top: z.number().int().min(1).max(20).default(8) }),
      async run({ top }, probe) {
        const reading = await probe.ask('collection-growth', GROWTH_PARAMS, { freshMs: GROWTH_STAYS_MS });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        const { leaking, settling } = sortGrowth(reading.data);
        return { leaking: leaking.slice(0, top).map(summaryOf), settling: settling.slice(0, top).map(summaryOf) };
      },
    }),
    defineQuery({
      name: 'allocation_sites',
      doc: 'Who allocated what survived a collection, most bytes first.',
      params: z.object({ seconds: z.number().int().min(3).max(30).default(8) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('heap-sampling', { ...SAMPLING, seconds });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return allocationSites(reading.data)
          .slice(0, 12)
          .map(({ frame, bytes, share }) => ({
            function: frame.functionName || '(anonymous)',
            file: frame.url,
            line: frame.lineNumber + 1,
            bytes,
            share,
          }));
      },
    }),
    defineQuery({
      name: 'live_heap',
      doc: 'Heap in use after full collections, and how fast it rises.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('collection-growth', GROWTH_PARAMS, { freshMs: GROWTH_STAYS_MS });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return { ...reading.data.liveHeap, bytesPerSecond: liveRate(reading.data) ?? null };
      },
    }),
    heapHolders,
  ],
  prompt:
    'Name the holder and what feeds it, and check that nothing bounds it. growing_containers names holders; allocation_sites only who allocates, and blames request handlers. What slows down is still filling.',
});

function numbersOf(data: Vitals): SnapshotData {
  const last = data.samples.at(-1);
  return {
    heapUsedBytes: last?.heapUsedBytes ?? null,
    heapLimitBytes: last?.heapLimitBytes ?? null,
    externalBytes: last?.externalBytes ?? null,
    rssBytes: last?.rssBytes ?? null,
    liveHeapBytes: data.liveHeap.at(-1)?.usedBytes ?? null,
  };
}

function summaryOf({ row, holder, fault, curve, gained }: Suspect) {
  return {
    holder: holder.text,
    package: holder.package ?? null,
    kind: row.kind,
    faultClass: fault,
    shape: curve.shape,
    size: row.size,
    gained,
    perSecond: row.perSecond,
    bytesPerSecond: row.bytesPerSecond,
    entry: row.entry.text,
  };
}

async function* playbook(see: OperatorView): Step<Conclusion> {
  yield* see.snapshot();
  const before = yield* see.ask('vitals', vitals.params, GROWTH_STAYS_MS);
  const growth = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  if (!isUsable(growth)) {
    return { outcome: 'inconclusive', summary: `Collections could not be watched: ${growth.reason ?? 'no reason'}.` };
  }
  const { leaking, settling } = sortGrowth(growth.data);
  const resting: string[] = settling.map(one => settlingSentence(one));
  const found: NotificationDraft[] = [];
  for (const suspect of leaking.slice(0, MOST_SUSPECTS)) {
    if (isMinor(suspect, leaking)) continue;
    const where = yield* placeGrowth(see, suspect, growth.data.applicationScripts);
    const rest = boundedBy(suspect, where.bounds, growth.data);
    const why = rest && outgrown(rest, suspect.row, isUsable(before) ? before.data : undefined);
    if (rest && why === undefined) resting.push(restSentence(suspect, rest));
    else found.push(leakDraft({ suspect, where, growth, vitals: before, ...(why && { why }) }));
  }
  if (found.length === 0) found.push(...(yield* unexplained(see, growth)));
  for (const draft of found) yield* see.notify(draft);
  return yield* conclude(see, { growth: growth.data, found, resting });
}

const isMinor = (one: Suspect, all: readonly Suspect[]): boolean =>
  one.row.bytesPerSecond < SECOND_CAUSE * Math.max(...all.map(({ row }) => row.bytesPerSecond));

interface Findings {
  readonly growth: CollectionGrowth;
  readonly found: readonly NotificationDraft[];
  readonly resting: readonly string[];
}

async function* conclude(see: OperatorView, { growth, found, resting }: Findings): Step<Conclusion> {
  const [worst] = [...found].sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'));
  const rest = resting.length > 0 ? ` ${resting.slice(0, 2).join(' ')}` : '';
  if (worst) {
    yield* see.setState(worst.severity === 'critical' ? 'critical' : 'warning', worst.title ?? worst.observation);
    return { outcome: 'found', summary: `${worst.title ?? worst.observation}.${rest}` };
  }
  if (resting.length > 0) yield* see.setState('observing', resting[0] ?? '');
  const live = growth.liveHeap;
  if (live && resting.length === 0 && isRisingUnexplained(growth))
    return {
      outcome: 'inconclusive',
      summary: `Live heap rose from ${sayBytes(live.firstBytes)} to ${sayBytes(live.lastBytes)} in ${sayMs(live.seconds * 1000)}, and nothing that lens can see keeps it. \`--safety bold\` allows a heapSnapshot, which shows what does.`,
    };
  const heapText = live ? ` Live heap ${sayBytes(live.firstBytes)}, then ${sayBytes(live.lastBytes)}.` : '';
  const watched = `${sayCount(growth.walks[0]?.containers ?? 0)} containers were watched for ${sayMs(growth.seconds * 1000)}`;
  return { outcome: 'healthy', summary: `No leak: ${watched}, none grows without an end.${heapText}${rest}` };
}

function settlingSentence({ row, holder, curve }: Suspect): string {
  const at = curve.levelsOffAt === undefined ? '' : ` at about ${sayCount(curve.levelsOffAt)} entries`;
  if (row.timer)
    return `Timers of ${sayMs(row.timer.ms)} grow by ${row.perSecond} a second until the first of them fire.`;
  if (curve.shape === 'drops') return `\`${holder.text}\` grows and shrinks.`;
  if (curve.shape === 'steps') return `\`${holder.text}\` grew in one burst.`;
  return `\`${holder.text}\` is still filling and levels off${at}.`;
}

function restSentence({ row, holder }: Suspect, { reason, at }: Rest): string {
  if (at === undefined || at <= row.size) return `\`${holder.text}\` grows, but ${reason}.`;
  const seconds = (at - row.size) / row.perSecond;
  return `\`${holder.text}\` is filling (${sayCount(row.size)} entries), but ${reason}: full at ${sayCount(at)} in ${sayMs(seconds * 1000)}.`;
}
