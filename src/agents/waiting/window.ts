import type { AsyncDetail, AsyncDump, AsyncFrame, AsyncRecord } from '../../model/evidence/async-dump.js';
import type { PartHost } from '../host.js';
import { own } from '../peek.js';
import { withoutPrefix } from '../text.js';
import { Channels } from './channels.js';
import { type Budget, type Record, Recorder, type Resource } from './recorder.js';
import { Rejections } from './rejections.js';
import { template } from './route.js';
import { Frames } from './stacks.js';

/** Requests whose resources are shown whole, and how many resources of each sort; oldest and slowest first. */
const SHOWN_STUCK = 60;
const SHOWN = { stuckPending: 700, otherPending: 400, finished: 1800, stuckSettled: 400, writes: 200 };
const FINISHED_SLOWEST = 10;
const FINISHED_SPREAD = 20;

export interface WindowOptions {
  /** Absent: channels only, no hook. */
  readonly budget?: Budget;
  /** Ends by itself after this long, whatever becomes of lens. */
  readonly maxMs: number;
}

export interface Page {
  readonly records: readonly AsyncRecord[];
  readonly left: number;
}

export type Rest = Pick<
  AsyncDump,
  'totals' | 'windowMs' | 'requests' | 'finishedBefore' | 'calls' | 'sockets' | 'rejections'
> & { readonly frames: readonly AsyncFrame[] };

/** One window of recording: opened, closed, then read in slices. */
export class Window {
  private readonly recorder: Recorder | undefined;
  private readonly channels: Channels;
  private readonly rejections: Rejections;
  private readonly frames = new Frames();
  private readonly startedAt: number;
  private stoppedAt = 0;
  private selected: Record[] = [];
  /** Stuck requests that there was no room for: of them nothing is known, not even that they wait for nothing. */
  private unread: ReadonlySet<number> = new Set();
  private next = 0;

  constructor(
    private readonly host: PartHost,
    options: WindowOptions,
  ) {
    this.startedAt = host.now();
    this.rejections = new Rejections(host);
    this.recorder = options.budget ? new Recorder(host, options.budget) : undefined;
    this.channels = new Channels(host, this.recorder);
    this.channels.subscribe();
    if (this.recorder) this.rejections.listen();
    this.recorder?.enable();
    host.setTimeout(() => this.stop(), options.maxMs);
  }

  /** Takes the hook and every listener back. Safe to call twice. */
  stop(): void {
    if (this.stoppedAt) return;
    this.stoppedAt = this.host.now();
    this.recorder?.disable();
    this.channels.unsubscribe();
    this.rejections.stop();
  }

  /** Chooses what is worth reading: all of the stuck, the longest pending, a spread of the finished. */
  select(minAgeMs: number): number {
    const all = this.recorder?.records ?? [];
    for (const record of all) closeQuietly(record);
    const requests = this.channels.requests(this.startedAt).filter(request => request.recorded);
    const windowMs = this.stoppedAt - this.startedAt;
    const stuck = new Set(
      requests
        .filter(q => !q.end && !q.aborted && windowMs - q.at >= minAgeMs)
        .slice(0, SHOWN_STUCK)
        .map(q => q.index),
    );
    const finished = requests.filter(q => q.end).sort((a, b) => b.end - b.at - (a.end - a.at));
    const step = Math.max(1, Math.ceil(finished.length / FINISHED_SPREAD));
    const spread = finished.filter((_, i) => i < FINISHED_SLOWEST || i % step === 0).map(q => q.index);
    const shown = wholeRequests(spread, all, SHOWN.finished);
    const waiting = all.filter(r => !r.end && stuck.has(r.request));
    const read = wholeRequests([...stuck], waiting, SHOWN.stuckPending);
    this.unread = new Set([...stuck].filter(index => !read.has(index)));
    const isOld = (record: Record) => this.stoppedAt - record.at > minAgeMs;
    this.selected = [
      ...waiting.filter(r => read.has(r.request)),
      ...all.filter(r => !r.end && !stuck.has(r.request) && isOld(r)).slice(0, SHOWN.otherPending),
      ...all.filter(r => shown.has(r.request) && !(!r.end && isOld(r))),
      ...all.filter(isSample).slice(0, SHOWN.writes),
      ...all.filter(r => r.end && stuck.has(r.request)).slice(-SHOWN.stuckSettled),
    ];
    this.next = 0;
    return this.selected.length;
  }

  /** The next selected records, for at most `ms` milliseconds. */
  page(ms: number): Page {
    const until = this.host.now() + ms;
    const records: AsyncRecord[] = [];
    while (this.next < this.selected.length && this.host.now() < until) {
      records.push(this.row(this.selected[this.next++] as Record)); // the index is within the list
    }
    return { records, left: this.selected.length - this.next };
  }

  rest(): Rest {
    const recorder = this.recorder;
    const requests = this.channels.requests(this.startedAt);
    return {
      windowMs: Math.round(this.stoppedAt - this.startedAt),
      totals: {
        inits: recorder?.inits ?? 0,
        records: recorder?.records.length ?? 0,
        dropped: recorder?.dropped ?? 0,
        droppedPerRequest: recorder?.droppedPerRequest ?? 0,
        unrecordedRequests: recorder ? requests.filter(request => !request.recorded).length : 0,
        errors: this.channels.errors + (recorder?.errors ?? 0),
      },
      frames: this.frames.list,
      requests: requests.map(row => (this.unread.has(row.index) ? { ...row, recorded: false } : row)),
      finishedBefore: this.channels.finishedBefore(),
      calls: this.channels.outgoing(this.startedAt),
      sockets: this.channels.newSockets(),
      rejections: this.rejections.rows(),
    };
  }

  private row(record: Record): AsyncRecord {
    const stack = record.stack ? this.frames.read(record.stack) : [];
    const detail = record.resource ? detailSafely(record.type, record.resource) : undefined;
    const { id, type, executionId, triggerId, request } = record;
    const at = Math.round((record.at - this.startedAt) * 100) / 100;
    const end = record.end > 0 ? Math.round((record.end - this.startedAt) * 100) / 100 : record.end;
    return { id, type, executionId, triggerId, request, at, end, stack, ...(detail ? { detail } : {}) };
  }
}

/** As many of the requests as have all of their records within the budget: of half a request every share would be wrong. */
function wholeRequests(wanted: readonly number[], records: readonly Record[], budget: number): Set<number> {
  const counts = new Map<number, number>();
  for (const { request } of records) counts.set(request, (counts.get(request) ?? 0) + 1);
  const whole = new Set<number>();
  let left = budget;
  for (const request of wanted) {
    const count = counts.get(request) ?? 0;
    if (whole.size > 0 && count > left) continue;
    whole.add(request);
    left -= count;
  }
  return whole;
}

const MOMENTS = new Set(['HTTPSTART', 'HTTPWRITE', 'NETCONNECT']);

/** The peer of a TCP handle, by now connected; empty when it isn't. */
function peerName(resource: Resource): string {
  const name: { address?: string; port?: number } = {};
  return resource.getpeername?.(name) === 0 ? `${withoutPrefix(name.address ?? '', '::ffff:')}:${name.port}` : '';
}

/**
 * A cleared timer is never called; the start of a call is a moment, not a wait; and `randomBytes(n)` makes the same
 * resource as with a callback, but has drawn its bytes when it returns.
 */
function closeQuietly(record: Record): void {
  if (record.end) return;
  if (MOMENTS.has(record.type)) record.end = record.at;
  if (record.type === 'Timeout' && record.resource?._destroyed) record.end = -1;
  if (record.type === 'RANDOMBYTESREQUEST' && own(record.resource, 'ondone') === undefined) record.end = record.at;
}

/** Written into a buffer that is far past its high-water mark. */
const CLOGGED_BYTES = 262_144;
const isSample = (record: Record): boolean =>
  record.type === 'NETCONNECT' ||
  (record.type === 'HTTPWRITE' && (record.resource?.args?.[0]?.writableLength ?? 0) >= CLOGGED_BYTES);

/** A resource may be of the program's own class; what can't be read is left out. */
function detailSafely(type: string, resource: Resource): AsyncDetail | undefined {
  try {
    return detailOf(type, resource);
  } catch {
    return undefined;
  }
}

function detailOf(type: string, resource: Resource): AsyncDetail | undefined {
  switch (type) {
    case 'Timeout':
      return {
        ms: resource._idleTimeout ?? 0,
        repeats: Boolean(resource._repeat),
        unref: resource.hasRef?.() === false,
      };
    case 'NETCONNECT':
      return { peer: peerName(resource) };
    case 'HTTPWRITE':
      return { bytes: resource.args?.[0]?.writableLength ?? 0 };
    case 'TCPCONNECTWRAP':
      return { peer: `${resource.address}:${resource.port}` };
    case 'PIPECONNECTWRAP':
      return { peer: String(resource.address) };
    case 'GETADDRINFOREQWRAP':
      return { peer: String(resource.hostname) };
    case 'HTTPCLIENTREQUEST': {
      const call = resource.req;
      return (
        call && {
          peer: `${call.host}:${call.port ?? ''}`,
          path: template(call.path),
          done: Boolean(call.destroyed || call.res?.complete),
        }
      );
    }
    default:
      return undefined;
  }
}
