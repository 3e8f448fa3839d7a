import { sayBytes, sayCount, sayShare } from '../base/say.js';
import type { AllocationSite } from '../heap/growth/allocation-sites.js';
import { holderOf, viaOf } from '../heap/growth/holder.js';
import { textKeepers } from '../heap/growth/suspects.js';
import { boundedBy, fillingCache, liveRate, type Rest } from '../heap/growth/verdict.js';
import type { CollectionGrowth } from '../model/evidence/collection-growth.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { FaultClass } from '../model/fault.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { cutThrough } from './cut-texts.js';
import { declaredPlace, placeGrowth } from './growth-place.js';
import { GROWTH_STAYS_MS } from './growth-window.js';
import { heldGrowth } from './heap-holders.js';
import { isRace, keptByCode } from './kept-by-code.js';
import { at, fedText, leakDraft, rateOf, severityOf } from './leak-draft.js';
import { placeOfSite, SAMPLING, sitesOf } from './survivors.js';

/** Live heap that rises so fast and by so much without a container: warm-up of a busy server stayed below. */
const CLEAR: Rise = { bytesPerSecond: 100_000, bytes: 2_000_000 };
/** Above the noise of two collections (40 kB/s): enough where the code shows a mechanism as well. */
const MODEST: Rise = { bytesPerSecond: 50_000, bytes: 800_000 };
const EXPLAINED_SHARE = 0.3;
/** Share of the survivors that one application function must have to be named without a holder. */
const SURVIVOR_SHARE = 0.4;
/** Of the survivors, for a caller of \`then\` or \`race\`. */
const REACTION_SHARE = 0.05;
/** A race leaves little beside what it races for, and nothing of it should survive. */
const RACE_SHARE = 0.015;
/** Native contexts are made by hand: more than a few in a window are a leak or a template engine gone wrong. */
const CONTEXTS_GAINED = 4;

const explainedRate = ({ growing }: CollectionGrowth): number =>
  growing.reduce((sum, row) => sum + row.bytesPerSecond, 0);

/** Live heap rises, and the containers that grow are not why. */
export const isRisingUnexplained = (data: CollectionGrowth): boolean => risesUnexplained(data, CLEAR);

function risesUnexplained(data: CollectionGrowth, least: Rise): boolean {
  const rate = liveRate(data);
  const { liveHeap } = data;
  if (rate === undefined || !liveHeap) return false;
  const gained = liveHeap.lastBytes - liveHeap.firstBytes - heldByConnections(data);
  if (gained < least.bytes || gained / liveHeap.seconds < least.bytesPerSecond) return false;
  return explainedRate(data) < EXPLAINED_SHARE * rate;
}

/** What open connections keep goes when they close: 160 of them, idle at an http server, were seen to hold 3.3 MB. */
const CONNECTION_BYTES = 24_000;

function heldByConnections({ memory }: CollectionGrowth): number {
  const counts = memory.map(({ sockets = 0 }) => sockets);
  return CONNECTION_BYTES * ((counts.at(-1) ?? 0) - Math.min(...counts, counts.at(-1) ?? 0));
}

interface Rise {
  readonly bytesPerSecond: number;
  readonly bytes: number;
}

/** V8's contexts after collections, where those were allowed: one that is done with stays until the next. */
const contextsOf = ({ liveHeap, memory }: CollectionGrowth): { readonly first: number; readonly last: number } => ({
  first: liveHeap?.firstContexts ?? memory[0]?.nativeContexts ?? 0,
  last: liveHeap?.lastContexts ?? memory.at(-1)?.nativeContexts ?? 0,
});

/** Live heap rises and no container says why: contexts, compiled scripts, else who allocates what survives. */
export async function* unexplained(see: OperatorView, growth: Evidence<CollectionGrowth>): Step<NotificationDraft[]> {
  const { data } = growth;
  const rate = liveRate(data);
  const explained = explainedRate(data);
  const { first: firstContexts, last: lastContexts } = contextsOf(data);
  const contexts = lastContexts - firstContexts;
  const isRising = isRisingUnexplained(data);
  if (contexts < CONTEXTS_GAINED && !isRising && !risesUnexplained(data, MODEST)) return [];
  const isUnnamed = rate !== undefined && contexts < CONTEXTS_GAINED;
  const chain = isUnnamed ? yield* chainDraft(see, growth, rate) : undefined;
  if (chain) return [chain];
  const cut = isUnnamed ? yield* cutTexts(see, growth, rate - explained) : undefined;
  if (cut) return cut === 'bounded' ? [] : [cut];
  if (isUnnamed && fillingCache(data, rate - explained)) return [];
  const sampling = yield* see.ask('heap-sampling', SAMPLING, GROWTH_STAYS_MS);
  const sites = isUsable(sampling) ? yield* sitesOf(see, sampling.data) : [];
  if (contexts < CONTEXTS_GAINED) {
    const evidenceIds = [growth.id, ...(isUsable(sampling) ? [sampling.id] : [])];
    const severity = (bytesPerSecond: number) => severityOf(bytesPerSecond, undefined);
    const held = isRising ? yield* heldGrowth(see, { evidenceIds, sites, severity }) : [];
    if (held.length > 0) return held;
    const files = data.applicationScripts ?? [];
    const observation = `Live heap went from ${data.liveHeap?.firstBytes ?? 0} B to ${data.liveHeap?.lastBytes ?? 0} B.`;
    const kept = yield* keptByCode(see, { bytesPerSecond: rate ?? 0, observation, sites, files, evidenceIds });
    if (kept) return [kept];
    if (!isRising) return [];
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
  if (contexts < CONTEXTS_GAINED && !isReaction(site) && isTooLittle(site, rate ?? 0)) return [];
  if (contexts < CONTEXTS_GAINED && (yield* hasStopped(see, data, rate ?? 0))) return [];
  const [maker] = site.into;
  const made = contexts >= CONTEXTS_GAINED && maker !== undefined ? { package: maker } : {};
  const culprit = { ...(yield* placeOfSite(see, site)), ...made };
  return [
    {
      anomalyType: 'live-heap-growth',
      faultClass,
      severity: severityOf(rate ?? 0, undefined),
      title: `What ${culprit.function ?? 'the function'} (${culprit.file}:${culprit.line}) allocates stays alive: live heap grows by ${sayBytes(rate ?? 0)}/s`,
      context:
        'No collection in reach explains it: what grows is held by closures, pending promises, native objects or a list without a size.',
      observation: `Live heap went from ${data.liveHeap?.firstBytes ?? 0} B to ${data.liveHeap?.lastBytes ?? 0} B; ${sayShare(site.share)} of what survived in ${SAMPLING.seconds} s was allocated under this function${contexts >= CONTEXTS_GAINED ? `; vm contexts went from ${firstContexts} to ${lastContexts}` : ''}.`,
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

/** Survivors of a leak come at its rate; of eight seconds some may be left out, and traffic varies. */
const PACE_SHARE = 0.2;

/** What survives under the function does not amount to the growth: that was something else, or is over. */
const isTooLittle = ({ bytes }: AllocationSite, bytesPerSecond: number): boolean =>
  bytes / SAMPLING.seconds < PACE_SHARE * bytesPerSecond;

const AFTERWARDS = { seconds: 5 } as const;
const ANEW = 0;
/** While the survivors were sampled a leak has brought more; of its pace so much is left for traffic that varies. */
const GOES_ON_SHARE = 0.3;

/**
 * True when the heap did not rise on after the growth was measured: something filled up meanwhile, or a collection had
 * not reached it yet. The sampling ended with collections, so that what is in use then is hardly more than what lives.
 */
async function* hasStopped(see: OperatorView, { liveHeap }: CollectionGrowth, rate: number): Step<boolean> {
  const later = liveHeap && (yield* see.ask('vitals', AFTERWARDS, ANEW));
  if (!later || !isUsable(later)) return false;
  const collected = later.data.liveHeap.map(({ usedBytes }) => usedBytes);
  const lowest = Math.min(...collected, ...later.data.samples.map(({ heapUsedBytes }) => heapUsedBytes));
  return lowest < liveHeap.lastBytes + GOES_ON_SHARE * rate * SAMPLING.seconds;
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
    observation: `${chain.links} closures of the same function were followed from one to the next over \`${link.name}\`, where the look ended, and a new one had come to the front. Live heap went from ${growth.data.liveHeap?.firstBytes ?? 0} B to ${growth.data.liveHeap?.lastBytes ?? 0} B.`,
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
/** A bound on entries that allows more than this was made for entries without their texts, in bytes. */
const TOO_MUCH_KEPT = 256_000_000;

/**
 * A small collection of texts grows as the live heap does: V8 keeps the whole text that a piece was cut from. One that is
 * bounded, and stays small with its texts, explains the growth.
 */
async function* cutTexts(
  see: OperatorView,
  growth: Evidence<CollectionGrowth>,
  rate: number,
): Step<NotificationDraft | 'bounded' | undefined> {
  let isBounded = false;
  for (const suspect of textKeepers(growth.data).slice(0, MOST_KEEPERS)) {
    const bytes = Math.round(rate / suspect.row.perSecond);
    if (bytes < LARGER_TEXT) continue;
    const files = growth.data.applicationScripts ?? [];
    const where = yield* placeGrowth(see, suspect, files);
    const through = where.cut === undefined ? yield* cutThrough(see, suspect, files) : undefined;
    const cut = where.cut ?? through?.cut;
    const told = boundedBy(suspect, where.bounds, growth.data);
    const rest = told && through?.limit !== undefined ? { at: through.limit, ...told } : told;
    if (cut === undefined || !where.culprit) continue;
    if (rest && !outgrows(rest, bytes, growth.data)) {
      isBounded = true;
      continue;
    }
    const when = rest
      ? ` It is bounded (${rest.reason}), but ${sayCount(rest.at ?? 0)} entries of this size are ${sayBytes((rest.at ?? 0) * bytes)}.`
      : '';
    const row = { ...suspect.row, bytesPerSecond: Math.round(rate), entry: { ...suspect.row.entry, bytes } };
    const draft = leakDraft({ suspect: { ...suspect, row }, where, growth, vitals: undefined });
    return {
      ...draft,
      anomalyType: 'growing-pieces',
      title: `\`${suspect.holder.text}\`${at(where.declared)} keeps pieces of texts, and with them the whole texts${fedText(where)}: ${rateOf(row)}`,
      observation: `It went up to ${row.size} entries (${row.perSecond}/s) of a few bytes each, while live heap rose by ${sayBytes(rate)}/s that no collection explains: ${sayBytes(bytes)} for each entry.`,
      hypothesis: `V8 makes no copy of a piece: it refers to the text it was cut from (\`${cut}\`), which stays in memory with it.${when}`,
      fix: `Keep a copy of the piece (Buffer.from(piece).toString(), or structuredClone), and bound \`${suspect.holder.text}\`.`,
      confidence: 'medium',
    };
  }
  return isBounded ? 'bounded' : undefined;
}

/** The bound counts entries; with their texts so many of them are too much. */
const outgrows = (rest: Rest, bytes: number, data: CollectionGrowth): boolean =>
  isRisingUnexplained(data) && (rest.at ?? 0) * bytes > TOO_MUCH_KEPT;

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

const isReaction = ({ leaf }: Pick<AllocationSite, 'leaf'>): boolean =>
  /^(race|then|all|any|allSettled|Promise)$/.test(leaf?.functionName ?? '');
