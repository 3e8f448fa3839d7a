import type { AsyncDump } from '../model/evidence/async-dump.js';
import type { Holder } from '../model/evidence/holders.js';

export type HolderShape = 'pool' | 'lock' | 'limiter';

/** What a pool says of itself, read by shape: undefined where it doesn't say. */
export interface PoolState {
  readonly name: string;
  readonly max: number | undefined;
  readonly used: number | undefined;
  readonly idle: number | undefined;
  readonly total: number | undefined;
  readonly waiting: number;
}

const MAX =
  /^_?(max|maxsize|max_?connections?|connectionlimit|max_?(threads|workers)|poolsize|limit|max_?size|capacity)$/i;
const IDLE = /idle|free|avail/i;
const USED = /used|borrow|busy|active|inuse|checkedout|loan/i;
const TOTAL = /^_?(all\w*|clients|connections|resources|objects|members)$|^_?all/i;
const CONCURRENCY = /concurren/i;
const TESTS = /^_?(test|validat)/i;
/** `minimumIdle`, `minIdle`: what is wished for, not what there is. */
const WISHED = /^_?min/i;
/** A bound that says what it bounds. */
const MAX_CONNECTIONS = /connection|pool_?size|threads|workers/i;
const TIMES = /ms$|millis|timeout|time|interval|ttl|uses|lifetime|retry|retries/i;

/** A pool keeps things that are at rest or in use; a limiter only counts; a lock has one permit or a few. */
export function shapeOf(holder: Holder): HolderShape {
  const names = Object.keys(holder.lists).filter(name => name !== holder.queue);
  if (names.some(name => IDLE.test(name) || USED.test(name) || TOTAL.test(name)) && maxOf(holder) !== undefined)
    return 'pool';
  // At rest here, in use there: no lock keeps its permits so, whatever the bound is and wherever it is kept.
  if (names.some(name => IDLE.test(name)) && names.some(name => USED.test(name) || TOTAL.test(name))) return 'pool';
  if (Object.keys(holder.numbers).some(name => MAX.test(name) && MAX_CONNECTIONS.test(name))) return 'pool';
  return Object.keys(holder.numbers).some(name => CONCURRENCY.test(name)) ? 'limiter' : 'lock';
}

export function poolState(holder: Holder): PoolState {
  const max = maxOf(holder);
  const idle = pick(holder.lists, IDLE) ?? pick(holder.numbers, IDLE);
  const total = pick(holder.lists, TOTAL) ?? pick(holder.numbers, TOTAL);
  const used =
    pick(holder.lists, USED) ??
    pick(holder.numbers, USED) ??
    (total !== undefined && idle !== undefined ? total - idle : undefined);
  return { name: holder.name, max, used, idle, total, waiting: holder.waiting };
}

/** True when nothing is at rest and everything that may exist is in use. */
export function isExhausted(state: PoolState): boolean {
  if (state.waiting === 0 || (state.idle ?? 0) > 0) return false;
  return state.max === undefined || state.used === undefined || state.used >= state.max;
}

/** How locks say that they are taken, and how many may still come in. */
const TAKEN = /^_?(is_?)?(locked|held|taken|busy)$|^_?(running|active|pending)(count)?$/i;
const PERMITS = /^_?(value|permits?|available|count|slots|free\w*)$/i;

/** True where its own numbers say how many may come in, or that it is taken: a counter of ids says neither. */
export const saysPermits = ({ numbers }: Holder): boolean =>
  Object.keys(numbers).some(
    name => TAKEN.test(name) || PERMITS.test(name) || CONCURRENCY.test(name) || (MAX.test(name) && !TIMES.test(name)),
  );

/** True for a full pool, and for a lock or limiter that says itself that nobody may come in. */
export function isTaken(holder: Holder): boolean {
  if (shapeOf(holder) === 'pool') return isExhausted(poolState(holder));
  const entries = Object.entries(holder.numbers);
  if ((holder.numbers.unreadBytes ?? 0) > 0) return true;
  return (
    entries.some(([name, value]) => TAKEN.test(name) && value > 0) ||
    entries.some(([name, value]) => PERMITS.test(name) && value <= 0)
  );
}

/**
 * The holder that the waiting requests stand in: the fullest queue that is large enough for them, in a script of one of
 * `urls` rather than elsewhere.
 */
export function holderOf(holders: readonly Holder[], requests: number, urls: ReadonlySet<string>): Holder | undefined {
  const fitting = holders.filter(
    holder => holder.waiters && holder.waiting >= Math.max(2, requests * 0.5) && holder.name !== 'Agent',
  );
  return fitting.find(holder => isIn(holder, urls)) ?? fitting[0];
}

/** A pool's queue and the bytes that nobody reads may lie apart: with the pool, and with each of its connections. */
export function withUnread(holder: Holder | undefined, holders: readonly Holder[]): Holder | undefined {
  const bytes = holders.flatMap(one => (holder && isWithin(one, holder) ? (one.numbers.unreadBytes ?? 0) : []));
  const unreadBytes = Math.max(0, ...bytes);
  return holder && unreadBytes > 0 ? { ...holder, numbers: { ...holder.numbers, unreadBytes } } : holder;
}

const isWithin = ({ path }: Holder, outer: Holder): boolean =>
  path.length >= outer.path.length && JSON.stringify(path.slice(0, outer.path.length)) === JSON.stringify(outer.path);

function isIn(holder: Holder, urls: ReadonlySet<string>): boolean {
  return holder.path.some(step => step.kind === 'variable' && urls.has(step.seenBy.url));
}

/** Peers whose sockets, several of them, moved no byte between the two scans although they stayed open. */
export function silentPeers(dump: AsyncDump): { readonly peer: string; readonly count: number }[] {
  return dump.after.peers.flatMap(({ peer, count, bytesRead, bytesWritten }) => {
    const before = dump.before.peers.find(other => other.peer === peer);
    const silent =
      peer !== 'local' &&
      before?.count === count &&
      before.bytesRead === bytesRead &&
      before.bytesWritten === bytesWritten;
    return silent ? [{ peer, count }] : [];
  });
}

function maxOf({ numbers }: Holder): number | undefined {
  return pick(numbers, MAX);
}

/** Several names may fit (`_testOnBorrowResources` beside `_resourceLoans`): the fullest says most. */
function pick(values: { readonly [name: string]: number }, pattern: RegExp): number | undefined {
  const fitting = Object.keys(values).filter(
    key => pattern.test(key) && !TIMES.test(key) && !TESTS.test(key) && !WISHED.test(key),
  );
  return fitting.length === 0 ? undefined : Math.max(...fitting.map(key => values[key] ?? 0));
}
