import { sayBytes, sayMs } from '../base/say.js';
import {
  isInAsyncStore,
  isOwnListeners,
  isWaitingSignals,
  isWriteBuffer,
  listenedEvent,
  MANY_EVENTS,
} from '../heap/growth/holder.js';
import type { Suspect } from '../heap/growth/suspects.js';
import { believable, isContradicted } from '../heap/growth/verdict.js';
import type { CollectionGrowth } from '../model/evidence/collection-growth.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { FaultClass } from '../model/fault.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Severity } from '../model/severity.js';
import { ALLOCATES } from './growth-feeders.js';
import type { GrowthPlace } from './growth-home.js';

/** More than this a minute is urgent whatever the limit is: a default heap is full within the hour. */
const CRITICAL_BYTES_PER_SECOND = 1_000_000;
const CRITICAL_SECONDS_LEFT = 30 * 60;

interface Leak {
  readonly suspect: Suspect;
  readonly where: GrowthPlace;
  readonly growth: Evidence<CollectionGrowth>;
  readonly vitals: Evidence<Vitals> | undefined;
  /** Why its bound does not hold it, where one was seen. */
  readonly why?: string;
}

/** What is said of a collection that grows without a limit. */
export function leakDraft({ suspect: given, where, growth, vitals: reading, why }: Leak): NotificationDraft {
  const bytesPerSecond = believable(given, growth.data);
  const suspect = asWritten({ ...given, row: { ...given.row, bytesPerSecond } }, where);
  const { row, fault, curve, inStep } = suspect;
  const { culprit, related } = where;
  const left = secondsLeft(row.bytesPerSecond, reading && isUsable(reading) ? reading.data : undefined);
  const certain = culprit !== undefined && curve.shape === 'growing' && !isContradicted(given, growth.data);
  return {
    anomalyType: `growing-${fault.split('.').at(-1)}`,
    faultClass: toldAs(suspect),
    severity: severityOf(row.bytesPerSecond, left),
    title: titleOf(suspect, where),
    context: contextOf(suspect, growth.data),
    observation: observationOf(suspect, growth.data),
    hypothesis: hypothesisOf(suspect, where, { left, why }),
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

/** Under the name that people know, not under a minifier's. */
function asWritten(suspect: Suspect, { writtenName }: GrowthPlace): Suspect {
  const { variable, text } = suspect.holder;
  if (writtenName === undefined || !variable || !text.startsWith(variable.name)) return suspect;
  return { ...suspect, holder: { ...suspect.holder, text: writtenName + text.slice(variable.name.length) } };
}

export function severityOf(bytesPerSecond: number, left: number | undefined): Severity {
  const soon = left !== undefined && left < CRITICAL_SECONDS_LEFT;
  return bytesPerSecond >= CRITICAL_BYTES_PER_SECOND || soon ? 'critical' : 'warning';
}

/** Seconds until V8's limit at this rate; undefined without a limit to count to. */
function secondsLeft(bytesPerSecond: number, data: Vitals | undefined): number | undefined {
  const last = data?.samples.at(-1);
  if (!last || bytesPerSecond <= 0) return undefined;
  return Math.max(0, last.heapLimitBytes - last.heapUsedBytes) / bytesPerSecond;
}

export const at = (location: CodeLocation | undefined): string =>
  location ? ` (${location.file}:${location.line})` : '';
export const rateOf = (row: Suspect['row']): string =>
  `${sayRate(row.perSecond)} a second, ${sayBytes(row.bytesPerSecond)}/s`;
const sayRate = (perSecond: number): string => (perSecond >= 10 ? `${Math.round(perSecond)}` : perSecond.toFixed(1));

/** Where emitters and event targets keep their listeners: of no use to who reads a title. */
const LISTENER_LIST = /(?:\._events|\[Symbol\(kEvents\)\]).*$/;

/** Where streams keep what waits to be written. */
const WRITE_BUFFER = /\._writableState.*$/;

function titleOf(suspect: Suspect, where: GrowthPlace): string {
  const { row, holder, fault } = suspect;
  const fed = fedText(where);
  const owner = holder.package === undefined ? '' : ` of package ${holder.package}`;
  if (row.timer)
    return `Timers every ${sayMs(row.timer.ms)} are started and never cleared${at(where.culprit)}: ${rateOf(row)}`;
  if (fault === 'backpressure')
    return `More is written to \`${holder.text.replace(WRITE_BUFFER, '')}\`${owner}${at(where.declared)} than it passes on${fed}: its buffer grows by ${rateOf(row)}`;
  const event = listenedEvent(row.path);
  const named = (text: string) => `\`${text}\`${owner}${at(where.declared)}`;
  const name = named(event === undefined ? holder.text : holder.text.replace(LISTENER_LIST, ''));
  if (event !== undefined)
    return `Listeners of ${event === MANY_EVENTS ? 'many events' : `'${event}'`} pile up on ${name}${fed}: ${rateOf(row)}`;
  return `${name} grows without a limit${fed}: ${rateOf(row)}`;
}

export function fedText({ fedBy, declared }: GrowthPlace): string {
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

interface Known {
  readonly left: number | undefined;
  readonly why: string | undefined;
}

function hypothesisOf({ row, curve }: Suspect, { bounds }: GrowthPlace, { left, why: told }: Known): string {
  const { removal, sizeCheck } = bounds;
  const passed = sizeCheck?.limit !== undefined && row.size > sizeCheck.limit;
  const why =
    told ??
    (passed
      ? `The size check in its code does not hold it.`
      : removal
        ? `Entries are removed somewhere (line ${removal.line0 + 1}), but not all of them.`
        : row.timer
          ? 'Nothing clears them.'
          : row.kind !== 'timers' && isWriteBuffer(row.path)
            ? 'The result of write() is ignored: what the stream has no time for waits in memory.'
            : 'Nothing in its code removes entries, and no limit was seen.');
  const short = curve.shape === 'unknown' ? ' Only two readings: it is replaced as it grows.' : '';
  const when = left === undefined ? '' : ` At this rate the heap limit is reached in ${sayMs(left * 1000)}.`;
  return why + short + when;
}

/** Handles and listeners keep the store of the moment they were made. */
const ASYNC_STORE_FIX =
  'Make what lives longer than a request (timers, sockets, clients, listeners) outside of the AsyncLocalStorage run: at start, or inside storage.exit().';

const SIGNAL_FIX =
  'Take the listener off the signal of AbortSignal.any() or timeout() when its work ends (removeEventListener): Node keeps such a signal, and all its listeners refer to, as long as it has one';

const TIMING_FIX =
  'Clear what was measured: performance.clearMarks(name) and clearMeasures(name); an observer gets entries without keeping them.';

/** It is judged by what its entries are, and told by what they are for. */
const toldAs = ({ row, fault }: Suspect): FaultClass =>
  fault === 'memory.leak.closure' && isOwnListeners(row) ? 'memory.leak.listener' : fault;

function fixOf(suspect: Suspect, { fedBy }: GrowthPlace): string {
  const { row, holder } = suspect;
  const where = fedBy ? ` at ${fedBy.place.file}:${fedBy.place.line}` : '';
  const fixes: Partial<Record<FaultClass, string>> = {
    'memory.leak.listener': `Register the listener once, or take it off when its request ends (off, once, { signal })${where}.`,
    'memory.leak.timer': `Keep what setInterval or setTimeout returns and clear it when its work ends${where}.`,
    'memory.leak.promise': `Settle every promise (also on errors and timeouts) and drop it from \`${holder.text}\` then.`,
    'memory.leak.closure': `Take the callback out of \`${holder.text}\` when it is no longer needed; let it capture less.`,
    backpressure: `Look at what write() returns${where}: wait for drain, use pipeline(), send several at once, or drop what is too much.`,
    'memory.leak.context': `Reuse one vm context, or drop every reference to old ones from \`${holder.text}\`.`,
    'code.growth': `Load or compile each module, template or function once and reuse it; no query string or fresh text each time.`,
    'memory.external': `Drop buffers from \`${holder.text}\` when they have been used; copy the few bytes that must stay (Buffer.from(slice)).`,
  };
  const bounded = `Bound \`${holder.text}\`: remove entries when they are done${where}, or use an LRU with max and ttl.`;
  if (isInAsyncStore(row.path)) return ASYNC_STORE_FIX;
  if (isWaitingSignals(row.path)) return `${SIGNAL_FIX}${where}.`;
  if (holder.text.startsWith('performance m')) return TIMING_FIX;
  return (row.timer ? fixes['memory.leak.timer'] : fixes[toldAs(suspect)]) ?? bounded;
}
