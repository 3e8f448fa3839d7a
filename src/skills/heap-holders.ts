import { z } from 'zod';
import { sayBytes, sayMs, sayShare } from '../base/say.js';
import type { AllocationSite } from '../heap/growth/allocation-sites.js';
import type { GrownHeapHolder, HeapGrowth, HeapHolder } from '../model/evidence/heap-snapshot.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { FaultClass } from '../model/fault.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Severity } from '../model/severity.js';
import { defineQuery, type OperatorView, type Step } from '../model/skill.js';
import { isUserCode } from '../source/url.js';
import { place } from './place.js';

/** Long enough that what a request holds while it runs is gone again, short enough for a person who waits. */
const WATCHED = { growthSeconds: 15 } as const;
/** A heapSnapshot serves a whole run. */
const STAYS_MS = 600_000;
/** Of what the heap gained, the least that a holder must have to be its cause. */
const CAUSE_SHARE = 0.3;
const MOST_HOLDERS = 2;
const MIN_GROWN_BYTES = 256 * 1024;

/** For models: the engine's whole answer, holders by path; refused unless the guard is bold. */
export const heapHolders = defineQuery({
  name: 'heap_holders',
  doc: 'Objects that keep what the heap gains (and those that hold most), with their retaining paths, from heapSnapshots. Stops the target for seconds, refused unless the run is bold: ask last.',
  params: z.object({}),
  async run(_, probe) {
    const taken = await probe.ask('heap-snapshot', WATCHED, { freshMs: STAYS_MS });
    if (!isUsable(taken) || !taken.data.reading) return { status: taken.status, reason: taken.reason ?? '' };
    const { totalBytes, suspects, growth } = taken.data.reading;
    const told = ({ class: name, path, retainedBytes, place }: HeapHolder) => ({
      class: name,
      path,
      retainedBytes,
      place: place ? `${place.file}:${place.line}` : null,
    });
    return {
      totalBytes,
      grown: (growth?.holders ?? []).map(holder => ({ ...told(holder), grownBytes: holder.grownBytes })),
      largest: suspects.map(told),
    };
  },
});

/** What the skill knows before it asks for the dear reading. */
export interface Unheld {
  /** Evidence that live heap grows. */
  readonly evidenceIds: readonly string[];
  readonly sites: readonly AllocationSite[];
  readonly severity: (bytesPerSecond: number) => Severity;
}

/**
 * Live heap grows and no collection that could be reached says why: V8's own picture of the heap, twice or dated, names
 * what holds it (reactions of a promise, values of a WeakMap, lists, native holders). Needs a bold guard or consent;
 * a refusal stays in the report with what it would have cost.
 */
export async function* heldGrowth(see: OperatorView, unheld: Unheld): Step<NotificationDraft[]> {
  const taken = yield* see.ask('heap-snapshot', WATCHED, STAYS_MS);
  const growth = isUsable(taken) ? taken.data.reading?.growth : undefined;
  if (!growth) return [];
  const causes = growth.holders.filter(holder => isCause(holder, growth)).slice(0, MOST_HOLDERS);
  const drafts: NotificationDraft[] = [];
  for (const holder of causes) drafts.push(yield* heldDraft(see, { holder, growth, taken, unheld }));
  return drafts;
}

/** Tracking can't see what went, so that its net growth is what came. */
function isCause({ grownBytes }: GrownHeapHolder, { addedBytes, removedBytes }: HeapGrowth): boolean {
  return grownBytes >= CAUSE_SHARE * Math.max(addedBytes - removedBytes, MIN_GROWN_BYTES);
}

/** A few new objects that head long lists are not what a person would count. */
function newsOf({ newChildren, content }: GrownHeapHolder): string {
  return content && newChildren >= MIN_COUNTED ? `, with ${newChildren} new ${content.what}` : '';
}

const MIN_COUNTED = 10;

interface Held {
  readonly holder: GrownHeapHolder;
  readonly growth: HeapGrowth;
  readonly taken: Evidence;
  readonly unheld: Unheld;
}

async function* heldDraft(see: OperatorView, { holder, growth, taken, unheld }: Held): Step<NotificationDraft> {
  const maker = yield* allocatedBy(see, unheld.sites);
  const declared = holder.place && { ...holder.place, via: holder.via };
  const faultClass = faultOfHolder(holder);
  // Of a promise that waits for ever the one to change is who races against it; of a collection it is who keeps it.
  const byMaker = faultClass === 'memory.leak.promise' || !declared || !isUserCode(absolute(declared.file));
  const culprit = byMaker ? (maker ?? declared) : declared;
  const others = [declared, maker].filter(one => one !== undefined && one !== culprit);
  const rate = holder.grownBytes / growth.seconds;
  const name = holder.variable === undefined ? `A ${holder.class}` : `\`${holder.variable}\``;
  return {
    anomalyType: 'live-heap-holder',
    faultClass,
    severity: unheld.severity(rate),
    title: `${name}${at(declared)} keeps what live heap gains${maker ? `, made by ${maker.function ?? 'the function'}${at(maker)}` : ''}: ${sayBytes(rate)}/s`,
    context: `No collection that could be reached explains the growth; V8's heapSnapshot (${growth.by}, ${growth.seconds} s apart) shows what holds it: ${holder.path}.`,
    observation: `${holder.class} @${holder.id} went up by ${holder.grownBytes} B in ${growth.seconds} s${newsOf(holder)}; it retains ${holder.retainedBytes} B, ${sayShare(holder.share)} of the heap.`,
    hypothesis: `Each call leaves something behind that stays reachable over this path; nothing took it off in ${sayMs(growth.seconds * 1000)}.`,
    ...(culprit && { culprit }),
    // The filter above leaves places only.
    ...(others.length > 0 && { related: others as CodeLocation[] }),
    fix: fixOfHolder(holder, name),
    metrics: [
      { name: 'growth', value: Math.round(rate), unit: 'B/s' },
      { name: 'grown by', value: holder.grownBytes, unit: 'B' },
      { name: 'new objects', value: holder.newChildren, unit: '' },
    ],
    evidenceIds: [...unheld.evidenceIds, taken.id],
    mechanism: true,
    confidence: culprit ? 'high' : 'medium',
  };
}

/** A path of the report is relative to the target's folder; only its shape counts here. */
const absolute = (file: string): string => (file.startsWith('/') ? file : `/${file}`);
const at = (location: CodeLocation | undefined): string => (location ? ` (${location.file}:${location.line})` : '');

/** Who makes what stays, from the sampling profile of the same run. */
async function* allocatedBy(see: OperatorView, [site]: readonly AllocationSite[]): Step<CodeLocation | undefined> {
  if (!site) return undefined;
  return yield* place(see, { ...site.frame, line: site.frame.lineNumber, column: site.frame.columnNumber });
}

const FAULTS: Readonly<Record<string, FaultClass>> = {
  listeners: 'memory.leak.listener',
  timers: 'memory.leak.timer',
  promises: 'memory.leak.promise',
  function: 'memory.leak.closure',
  scope: 'memory.leak.closure',
  buffer: 'memory.external',
};

/** By what holds, and by what is held: closures under a promise are its reactions. */
function faultOfHolder({ kind, content, via }: GrownHeapHolder): FaultClass {
  if (/Promise/.test(content?.what ?? '') || via.some(step => /PromiseReaction/.test(step)))
    return 'memory.leak.promise';
  return FAULTS[kind] ?? 'memory.leak.collection';
}

function fixOfHolder({ kind, content }: GrownHeapHolder, name: string): string {
  if (kind === 'promises' || /Promise/.test(content?.what ?? ''))
    return `Don't race or chain on ${name} again and again: a promise that never settles keeps every reaction. Use one that ends (AbortSignal, a timeout that is cleared).`;
  if (kind === 'weakmap')
    return `The keys of ${name} live as long as the program: delete entries when they are done, or key by what ends.`;
  if (kind === 'listeners') return `Take listeners off ${name} when their request ends (off, once, { signal }).`;
  return `Drop what ${name} refers to when it is done, or bound it.`;
}
