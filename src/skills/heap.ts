import { z } from 'zod';
import { sayBytes, sayCount, sayMs, sayShare } from '../base/say.js';
import { type AllocationSite, allocationSites } from '../heap/growth/allocation-sites.js';
import { holderOf, isInAsyncStore, listenedEvent, MANY_EVENTS, viaOf } from '../heap/growth/holder.js';
import { type Suspect, sortGrowth, textKeepers } from '../heap/growth/suspects.js';
import { boundedBy, fillingCache, isContradicted, liveRate, type Rest } from '../heap/growth/verdict.js';
import type { CollectionGrowth } from '../model/evidence/collection-growth.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { FaultClass } from '../model/fault.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Severity } from '../model/severity.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { ALLOCATES, declaredPlace, type GrowthPlace, placeGrowth } from './growth-place.js';
import { heapHolders, heldGrowth } from './heap-holders.js';
import { place } from './place.js';

const vitals = { kind: 'vitals', params: { seconds: 5 } } as const;
/** The operators heap and collections share one reading. */
export const GROWTH_PARAMS = { seconds: 20 } as const;
export const GROWTH_STAYS_MS = 120_000;
const SAMPLING = { seconds: 8, intervalBytes: 64 * 1024 } as const;

/** More than this a minute is urgent whatever the limit is: a default heap is full within the hour. */
const CRITICAL_BYTES_PER_SECOND = 1_000_000;
const CRITICAL_SECONDS_LEFT = 30 * 60;
/** Suspects looked at closely, each costs a few sources. */
const MOST_SUSPECTS = 4;
/** A second cause counts only when it weighs this share of the first. */
const SECOND_CAUSE = 0.1;
/** Live heap that rises so fast and by so much without a container: warm-up of a busy server stayed below. */
const UNEXPLAINED_RATE = 100_000;
const UNEXPLAINED_BYTES = 2_000_000;
const EXPLAINED_SHARE = 0.3;
/** Share of the survivors that one application function must have to be named without a holder. */
const SURVIVOR_SHARE = 0.4;
/** Of the survivors, for a caller of \`then\` or \`race\`. */
const REACTION_SHARE = 0.05;
/** A race leaves little beside what it races for, and nothing of it should survive. */
const RACE_SHARE = 0.015;
/** Native contexts are made by hand: more than a few in a window are a leak or a template engine gone wrong. */
const CONTEXTS_GAINED = 4;

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
      doc: 'Collections, listener lists and timers that gain entries, with who holds them; takes 20 s the first time.',
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
      doc: 'Application functions whose allocations of the last seconds survived a collection, most bytes first.',
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
      doc: 'Heap in use right after full collections: near the start and the end of the watch, and how fast it rises.',
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
    'Growth is an observation, a leak a conclusion: name the holder and what feeds it, and check that nothing bounds it. growing_containers names holders; allocation_sites tells only who allocates, and blames request handlers. Containers that slow down are still filling.',
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
    if (rest) resting.push(restSentence(suspect, rest));
    else found.push(leakDraft({ suspect, where, growth, vitals: before }));
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

interface Leak {
  readonly suspect: Suspect;
  readonly where: GrowthPlace;
  readonly growth: Evidence<CollectionGrowth>;
  readonly vitals: Evidence<Vitals> | undefined;
}

function leakDraft({ suspect, where, growth, vitals: reading }: Leak): NotificationDraft {
  const { row, fault, curve, inStep } = suspect;
  const { culprit, related } = where;
  const left = secondsLeft(row.bytesPerSecond, reading && isUsable(reading) ? reading.data : undefined);
  const certain = culprit !== undefined && curve.shape === 'growing' && !isContradicted(suspect, growth.data);
  return {
    anomalyType: `growing-${fault.split('.').at(-1)}`,
    faultClass: fault,
    severity: severityOf(row.bytesPerSecond, left),
    title: titleOf(suspect, where),
    context: contextOf(suspect, growth.data),
    observation: observationOf(suspect, growth.data),
    hypothesis: hypothesisOf(suspect, where, left),
    ...(culprit && { culprit }),
    ...(related.length > 0 && { related }),
    fix: fixOf(suspect, where),
    metrics: [
      { name: 'growth', value: row.bytesPerSecond, unit: 'B/s' },
      { name: 'entries per second', value: row.perSecond, unit: '1/s' },
      { name: 'entries', value: row.size, unit: '' },
      { name: 'bytes per entry', value: row.entry.bytes, unit: 'B' },
      ...inStep
        .slice(0, 3)
        .map(other => ({ name: `in step: ${other.holder.text}`, value: other.row.perSecond, unit: '1/s' })),
    ],
    evidenceIds: [growth.id, ...(where.samplingId === undefined ? [] : [where.samplingId])],
    mechanism: true,
    confidence: certain ? 'high' : 'medium',
  };
}

function severityOf(bytesPerSecond: number, left: number | undefined): Severity {
  const soon = left !== undefined && left < CRITICAL_SECONDS_LEFT;
  return bytesPerSecond >= CRITICAL_BYTES_PER_SECOND || soon ? 'critical' : 'warning';
}

/** Seconds until V8's limit at this rate; undefined without a limit to count to. */
function secondsLeft(bytesPerSecond: number, data: Vitals | undefined): number | undefined {
  const last = data?.samples.at(-1);
  if (!last || bytesPerSecond <= 0) return undefined;
  return Math.max(0, last.heapLimitBytes - last.heapUsedBytes) / bytesPerSecond;
}

const at = (location: CodeLocation | undefined): string => (location ? ` (${location.file}:${location.line})` : '');
const rateOf = (row: Suspect['row']): string => `${sayRate(row.perSecond)} a second, ${sayBytes(row.bytesPerSecond)}/s`;
const sayRate = (perSecond: number): string => (perSecond >= 10 ? `${Math.round(perSecond)}` : perSecond.toFixed(1));

/** Where emitters and event targets keep their listeners: of no use to who reads a title. */
const LISTENER_LIST = /(?:\._events|\[Symbol\(kEvents\)\]).*$/;

function titleOf(suspect: Suspect, where: GrowthPlace): string {
  const { row, holder } = suspect;
  const fed = fedText(where);
  const owner = holder.package === undefined ? '' : ` of package ${holder.package}`;
  if (row.timer)
    return `Timers every ${sayMs(row.timer.ms)} are started and never cleared${at(where.culprit)}: ${rateOf(row)}`;
  const event = listenedEvent(row.path);
  const named = (text: string) => `\`${text}\`${owner}${at(where.declared)}`;
  const name = named(event === undefined ? holder.text : holder.text.replace(LISTENER_LIST, ''));
  if (event !== undefined)
    return `Listeners of ${event === MANY_EVENTS ? 'many events' : `'${event}'`} pile up on ${name}${fed}: ${rateOf(row)}`;
  return `${name} grows without a limit${fed}: ${rateOf(row)}`;
}

function fedText({ fedBy, declared }: GrowthPlace): string {
  if (!fedBy || (fedBy.place.file === declared?.file && fedBy.place.line === declared.line)) return '';
  const who =
    fedBy.place.function === undefined
      ? `${fedBy.place.file}:${fedBy.place.line}`
      : `${fedBy.place.function}${at(fedBy.place)}`;
  return fedBy.how === ALLOCATES ? `, with what ${who} allocates` : `, fed by ${who}`;
}

function contextOf({ row, holder }: Suspect, growth: CollectionGrowth): string {
  const live = growth.liveHeap;
  const heapText = live
    ? ` Live heap after forced collections: ${sayBytes(live.firstBytes)}, then ${sayBytes(live.lastBytes)}.`
    : '';
  const kind =
    row.kind === 'string'
      ? 'a text'
      : row.timer
        ? 'timers'
        : `a ${row.kind === 'object' ? 'dictionary object' : row.kind}`;
  const through = holder.through ? `, used through \`${holder.through.name}\`` : '';
  return `\`${holder.text}\` is ${kind}${row.ownerClass && row.ownerClass !== 'Object' ? ` in a ${row.ownerClass}` : ''}${through}; watched for ${growth.seconds} s.${heapText}`;
}

function observationOf({ row, inStep }: Suspect, growth: CollectionGrowth): string {
  const first = row.sizes.find(size => size !== null) ?? 0;
  const many = row.kin === undefined ? '' : `In ${row.kin} containers of one kind, counted from those looked at, `;
  const together = inStep[0]
    ? ` In step with it: ${inStep
        .slice(0, 3)
        .map(one => `\`${one.holder.text}\``)
        .join(', ')}.`
    : '';
  return `${many}${first} ${row.kind === 'string' ? 'characters' : 'entries'} became ${row.size} in ${growth.seconds} s (${row.perSecond}/s); one more costs ${sayBytes(row.entry.bytes)}, together ${sayBytes(row.bytesPerSecond)}/s. The newest is \`${row.entry.text}\`.${together}`;
}

function hypothesisOf({ row, curve }: Suspect, { bounds }: GrowthPlace, left: number | undefined): string {
  const { removal, sizeCheck } = bounds;
  const passed = sizeCheck?.limit !== undefined && row.size > sizeCheck.limit;
  const why = passed
    ? `The size check in its code does not hold it.`
    : removal
      ? `Entries are removed somewhere (line ${removal.line0 + 1}), but not all of them.`
      : row.timer
        ? 'Nothing clears them.'
        : 'Nothing in its code removes entries, and no limit was seen.';
  const short = curve.shape === 'unknown' ? ' Only two readings: it is replaced as it grows.' : '';
  const when = left === undefined ? '' : ` At this rate the heap limit is reached in ${sayMs(left * 1000)}.`;
  return why + short + when;
}

/** Handles and listeners keep the store of the moment they were made. */
const ASYNC_STORE_FIX =
  'Make what lives longer than a request (timers, sockets, clients, listeners) outside of the AsyncLocalStorage run: at start, or inside storage.exit().';

const TIMING_FIX =
  'Clear what was measured: performance.clearMarks(name) and clearMeasures(name); an observer gets entries without keeping them.';

function fixOf({ row, holder, fault }: Suspect, { fedBy }: GrowthPlace): string {
  const where = fedBy ? ` at ${fedBy.place.file}:${fedBy.place.line}` : '';
  const fixes: Partial<Record<FaultClass, string>> = {
    'memory.leak.listener': `Register the listener once, or take it off when its request ends (off, once, { signal })${where}.`,
    'memory.leak.timer': `Keep what setInterval or setTimeout returns and clear it when its work ends${where}.`,
    'memory.leak.promise': `Settle every promise (also on errors and timeouts) and drop it from \`${holder.text}\` then.`,
    'memory.leak.closure': `Take the callback out of \`${holder.text}\` when it is no longer needed; let it capture less.`,
    'memory.leak.context': `Reuse one vm context, or drop every reference to old ones from \`${holder.text}\`.`,
    'code.growth': `Load or compile each module, template or function once and reuse it; no query string or fresh text each time.`,
    'memory.external': `Drop buffers from \`${holder.text}\` when they have been used; copy the few bytes that must stay (Buffer.from(slice)).`,
  };
  const bounded = `Bound \`${holder.text}\`: remove entries when they are done${where}, or use an LRU with max and ttl.`;
  if (isInAsyncStore(row.path)) return ASYNC_STORE_FIX;
  if (holder.text.startsWith('performance m')) return TIMING_FIX;
  return (row.timer ? fixes['memory.leak.timer'] : fixes[fault]) ?? bounded;
}

/** Live heap rises and no container says why: contexts, compiled scripts, else who allocates what survives. */
async function* unexplained(see: OperatorView, growth: Evidence<CollectionGrowth>): Step<NotificationDraft[]> {
  const { data } = growth;
  const rate = liveRate(data);
  const gained = data.liveHeap ? data.liveHeap.lastBytes - data.liveHeap.firstBytes : 0;
  const explained = data.growing.reduce((sum, row) => sum + row.bytesPerSecond, 0);
  const contexts = (data.memory.at(-1)?.nativeContexts ?? 0) - (data.memory[0]?.nativeContexts ?? 0);
  const isRising = rate !== undefined && rate >= UNEXPLAINED_RATE && gained >= UNEXPLAINED_BYTES;
  if (contexts < CONTEXTS_GAINED && !(isRising && explained < EXPLAINED_SHARE * rate)) return [];
  const isUnnamed = rate !== undefined && contexts < CONTEXTS_GAINED;
  const chain = isUnnamed ? yield* chainDraft(see, growth, rate) : undefined;
  if (chain) return [chain];
  if (isUnnamed && fillingCache(data, rate - explained)) return [];
  const cut = isUnnamed ? yield* cutTexts(see, growth, rate - explained) : undefined;
  if (cut) return [cut];
  const sampling = yield* see.ask('heap-sampling', SAMPLING, GROWTH_STAYS_MS);
  const sites = isUsable(sampling) ? allocationSites(sampling.data) : [];
  if (contexts < CONTEXTS_GAINED) {
    const evidenceIds = [growth.id, ...(isUsable(sampling) ? [sampling.id] : [])];
    const severity = (bytesPerSecond: number) => severityOf(bytesPerSecond, undefined);
    const held = yield* heldGrowth(see, { evidenceIds, sites, severity });
    if (held.length > 0) return held;
  }
  // Promise.race and then leave a reaction behind on each call: their caller is the cause, whoever makes the values.
  const site =
    sites.find(one => one.share >= RACE_SHARE && isRace(one)) ??
    sites.find(one => one.share >= REACTION_SHARE && isReaction(one)) ??
    sites[0];
  const compiled = data.scripts?.[0];
  const faultClass = faultOfUnheld({ contexts, compiled: compiled !== undefined, site });
  if (!isUsable(sampling) || !site || (site.share < SURVIVOR_SHARE && !isReaction(site) && contexts < CONTEXTS_GAINED))
    return [];
  const culprit = yield* place(see, { ...site.frame, line: site.frame.lineNumber, column: site.frame.columnNumber });
  return [
    {
      anomalyType: 'live-heap-growth',
      faultClass,
      severity: severityOf(rate ?? 0, undefined),
      title: `What ${culprit.function ?? 'the function'} (${culprit.file}:${culprit.line}) allocates stays alive: live heap grows by ${sayBytes(rate ?? 0)}/s`,
      context:
        'No collection in reach explains it: what grows is held by closures, pending promises, native objects or a list without a size.',
      observation: `Live heap went from ${data.liveHeap?.firstBytes ?? 0} B to ${data.liveHeap?.lastBytes ?? 0} B; ${sayShare(site.share)} of what survived in ${SAMPLING.seconds} s was allocated under this function${contexts >= CONTEXTS_GAINED ? `; vm contexts went from ${data.memory[0]?.nativeContexts} to ${data.memory.at(-1)?.nativeContexts}` : ''}.`,
      hypothesis: 'Each call leaves something behind that a long-lived object still refers to.',
      culprit,
      fix: 'Look at what this function hands to something that outlives the call: a closure that captures the previous one, `then` on a promise that never settles, Promise.race against a long-lived promise.',
      metrics: [
        { name: 'live heap growth', value: Math.round(rate ?? 0), unit: 'B/s' },
        { name: 'share of the survivors', value: Math.round(site.share * 1000) / 10, unit: '%' },
      ],
      evidenceIds: [growth.id, sampling.id],
      mechanism: true,
      confidence: 'medium',
    },
  ];
}

/** A closure that keeps the one before it, which keeps the one before that: no collection at all. */
async function* chainDraft(
  see: OperatorView,
  growth: Evidence<CollectionGrowth>,
  rate: number,
): Step<NotificationDraft | undefined> {
  const [chain] = growth.data.closureChains ?? [];
  const link = chain?.path.at(-1);
  if (!chain || link?.kind !== 'variable') return undefined;
  const holder = holderOf({ path: chain.path.slice(0, -1) });
  const culprit = yield* declaredPlace(see, link);
  const head = holder.variable && (yield* declaredPlace(see, holder.variable));
  return {
    anomalyType: 'closure-chain',
    faultClass: 'memory.leak.closure',
    severity: severityOf(rate, undefined),
    title: `Each closure of ${culprit.function ?? 'the function'}${at(culprit)} keeps the one before it by \`${link.name}\`: live heap grows by ${sayBytes(rate)}/s`,
    context: `The newest hangs from \`${holder.text}\`${at(head)}. No collection in reach explains the growth.`,
    observation: `${chain.links} closures of the same function were followed from one to the next over \`${link.name}\` (there may be thousands), and a new one had come to the front. Live heap went from ${growth.data.liveHeap?.firstBytes ?? 0} B to ${growth.data.liveHeap?.lastBytes ?? 0} B.`,
    hypothesis: `What a call makes refers to what the call before it made. Closures of one function share their variables: one that uses \`${link.name}\` makes all of them keep it.`,
    culprit: { ...culprit, via: viaOf(chain.path) },
    ...(head && { related: [head] }),
    fix: `Don't let closures that stay see \`${link.name}\`: set it to undefined at the end, copy what is needed of it, or keep a bounded history.`,
    metrics: [
      { name: 'live heap growth', value: Math.round(rate), unit: 'B/s' },
      { name: 'closures in a row', value: chain.links, unit: '' },
    ],
    evidenceIds: [growth.id],
    mechanism: true,
    confidence: 'high',
  };
}

/** Each entry costs at least this much live heap before its text is taken for a piece of a larger one, in bytes. */
const LARGER_TEXT = 1024;
const MOST_KEEPERS = 3;

/** A small collection of texts grows as the live heap does: V8 keeps the whole text that a piece was cut from. */
async function* cutTexts(
  see: OperatorView,
  growth: Evidence<CollectionGrowth>,
  rate: number,
): Step<NotificationDraft | undefined> {
  for (const suspect of textKeepers(growth.data).slice(0, MOST_KEEPERS)) {
    const bytes = Math.round(rate / suspect.row.perSecond);
    if (bytes < LARGER_TEXT) continue;
    const where = yield* placeGrowth(see, suspect, growth.data.applicationScripts);
    if (where.cut === undefined || !where.culprit || boundedBy(suspect, where.bounds, growth.data)) continue;
    const row = { ...suspect.row, bytesPerSecond: Math.round(rate), entry: { ...suspect.row.entry, bytes } };
    const draft = leakDraft({ suspect: { ...suspect, row }, where, growth, vitals: undefined });
    return {
      ...draft,
      anomalyType: 'growing-pieces',
      title: `\`${suspect.holder.text}\`${at(where.declared)} keeps pieces of texts, and with them the whole texts${fedText(where)}: ${rateOf(row)}`,
      observation: `It went up to ${row.size} entries (${row.perSecond}/s) of a few bytes each, while live heap rose by ${sayBytes(rate)}/s that no collection explains: ${sayBytes(bytes)} for each entry.`,
      hypothesis: `V8 makes no copy of a piece: it refers to the text it was cut from (\`${where.cut}\`), which stays in memory with it.`,
      fix: `Keep a copy of the piece (Buffer.from(piece).toString(), or structuredClone), and bound \`${suspect.holder.text}\`.`,
      confidence: 'medium',
    };
  }
  return undefined;
}

interface Unheld {
  readonly contexts: number;
  readonly compiled: boolean;
  readonly site: AllocationSite | undefined;
}

function faultOfUnheld({ contexts, compiled, site }: Unheld): FaultClass {
  if (contexts >= CONTEXTS_GAINED) return 'memory.leak.context';
  if (compiled) return 'code.growth';
  return site && isReaction(site) ? 'memory.leak.promise' : 'memory.leak.closure';
}

const isRace = ({ leaf }: Pick<AllocationSite, 'leaf'>): boolean => /^(race|any)$/.test(leaf?.functionName ?? '');
const isReaction = ({ leaf }: Pick<AllocationSite, 'leaf'>): boolean =>
  /^(race|then|all|any|allSettled|Promise)$/.test(leaf?.functionName ?? '');
