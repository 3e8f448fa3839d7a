import type { Holder } from '../../model/evidence/holders.js';
import { filledShare, ringIn, sizeOf, someEntries, type Watched } from '../scope-walk/containers.js';
import { functionText, isObject, own, ownKeys, plainKeys } from '../scope-walk/intrinsics.js';
import { classOf, isUntouchable, type Realm } from '../scope-walk/realm.js';
import type { Walk } from '../scope-walk/walk.js';
import type { Ring } from '../scope-walk/watchlist.js';
import { hasWord, withoutPrefix } from '../text.js';
import { runningIn } from './running.js';

const MOST_HOLDERS = 80;
const MOST_FIELDS = 120;
/** A queue may be a structure of its own (priority queue of linked lists): its owner is at most this far up. */
const CLIMB = 5;

/** Property names under which pools, locks and queues of all libraries keep those who wait. */
const QUEUE = [
  ...['queue', 'pending', 'wait', 'acquir', 'request', 'job', 'task', 'backlog', 'deferred', 'resolve', 'callback'],
  ...['consumer', 'blocked', 'parked'],
];
/** What a pool keeps beside: those at rest and those in use. */
const POOL = ['idle', 'free', 'avail', 'used', 'borrow', 'clients', 'connections', 'resources', 'objects', 'sockets'];
const LIMITS = ['max', 'limit'];
const NUMBERS = [
  ...[...LIMITS, 'min', 'size', 'count', 'permit', 'value', 'used', 'idle', 'free', 'avail', 'borrow', 'pending'],
  ...['running', 'active', 'capacity', 'concurren', 'locked', 'busy', 'held', 'slots', 'current', 'total', 'length'],
  'weight',
];
/** Parts of a holder that keep its numbers. */
const OPTIONS = [
  'options',
  '_options',
  'opts',
  'config',
  '_config',
  '_store',
  'store',
  '_state',
  'state',
  'storeOptions',
  '_factory',
];

interface Lists {
  readonly owner: object;
  readonly lists: { [name: string]: number };
}

/** What may be a queue: a container of the walk, or a ring buffer. */
interface Line {
  readonly node: number;
  readonly owner: object | undefined;
  readonly size: number;
  /** A dictionary is no queue: waiters stand in an order or under tickets. */
  readonly ordered: boolean;
  /** A few of those who stand in it. */
  some(): readonly unknown[];
}

/** Objects that own a queue of waiters or look like a pool, fullest queue first. */
export function holdersIn(realm: Realm, walk: Walk): Holder[] {
  const owners = new Map<number, Lists>();
  const lines = linesIn(realm, walk);
  for (const line of lines) noteOwner(walk, line, owners);
  const found = new Map<object, Holder>();
  for (const line of lines) {
    const holder = queueHolder(realm, walk, line, owners);
    const key = holder && (holder.owner ?? line);
    const known = key && found.get(key);
    if (key && (!known || known.waiting < holder.row.waiting)) found.set(key, holder.row);
  }
  for (const [node, lists] of owners) {
    if (!found.has(lists.owner) && isPool(lists))
      found.set(lists.owner, row(realm, walk, node, lists, { queue: '', waiting: 0, waiters: false }));
  }
  return [...found.values()].sort((a, b) => b.waiting - a.waiting).slice(0, MOST_HOLDERS);
}

/** A ring buffer stands for its array, whose length says nothing. */
function linesIn(realm: Realm, walk: Walk): Line[] {
  const rings = new Set(walk.watchlist.rings.map(ring => ring.ref.deref()));
  const containers = walk.watchlist.containers.filter(({ owner }) => !owner || !rings.has(owner.deref()));
  return [...containers.map(lineOf), ...walk.watchlist.rings.map(ring => lineOfRing(realm, ring))];
}

function lineOf(watched: Watched): Line {
  const { ref, kind, key, node, first } = watched;
  const container = ref.deref();
  return {
    node,
    owner: watched.owner?.deref(),
    size: container ? standing(container, kind, sizeOf(container, kind, key, first) ?? 0) : 0,
    ordered: QUEUE_KINDS.has(kind),
    some: () => (container ? someEntries(container, kind, key).map(([, value]) => value) : []),
  };
}

/** Many queues empty the slots of those who have been served and cut them off later: nobody stands there any more. */
const standing = (container: object, kind: Watched['kind'], size: number): number =>
  kind === 'Array' ? Math.round(size * filledShare(container as unknown[])) : size; // an Array by its kind

function lineOfRing({ types }: Realm, { ref, owner, node }: Ring): Line {
  const ring = ref.deref();
  const found = ring && ringIn(ring, plainKeys(ring), types.isProxy);
  return {
    node,
    owner: owner.deref(),
    size: found?.size ?? 0,
    ordered: true,
    some: () => (found && found.size > 0 ? [own(found.slots, String(found.head))] : []),
  };
}

function noteOwner(walk: Walk, { owner, node: own, size }: Line, owners: Map<number, Lists>): void {
  const name = propertyOf(walk, own);
  if (!owner || name === undefined || name.includes('/')) return;
  const node = walk.tree.parentOf(own);
  const lists = owners.get(node) ?? { owner, lists: {} };
  owners.set(node, lists);
  lists.lists[name] = size;
}

const QUEUE_KINDS = new Set<Watched['kind']>(['Array', 'Map', 'Set', 'list']);

function queueHolder(
  realm: Realm,
  walk: Walk,
  line: Line,
  owners: Map<number, Lists>,
): { owner?: object; row: Holder } | undefined {
  const waiting = line.ordered ? line.size : 0;
  if (waiting === 0) return undefined;
  const queue = queueName(walk, line.node) ?? unnamedQueue(walk, line);
  if (queue === undefined || !line.some().some(value => isWaiter(value, 2))) return undefined;
  const near = ownerAbove(walk, queue.node, owners);
  const home = (near && boundAbove(walk, near, owners)) ?? near;
  const said = { queue: queue.name, waiting, waiters: true };
  // A queue of queues, one a priority: how many wait is known to the whole, and not to the list of its parts.
  const whole = { ...said, waiting: Math.max(waiting, home?.lists.lists[queue.name] ?? 0) };
  if (home) return { owner: home.lists.owner, row: row(realm, walk, home.node, home.lists, whole) };
  return { row: { ...said, name: queue.name, path: walk.tree.path(line.node), numbers: {}, lists: {} } };
}

/** The step that is named like a queue, on the way up from the container. */
function queueName(walk: Walk, node: number): { name: string; node: number } | undefined {
  for (let at = node, climbed = 0; at >= 0 && climbed < CLIMB; at = walk.tree.parentOf(at), climbed++) {
    const name = propertyOf(walk, at) ?? variableOf(walk, at);
    // What a bound function was given is nobody's queue: `_onPendingData` of every response is one.
    if (isHidden(walk, at)) return undefined;
    // What lies below is a listener's closure: `request` is an event there.
    if (propertyOf(walk, walk.tree.parentOf(at)) === '_events') return undefined;
    if (name !== undefined && !name.includes('/') && hasWord(name, QUEUE)) return { name, node: at };
    // Beyond a variable lies the function that sees it, and what that one is called names no queue.
    if (variableOf(walk, at) !== undefined) return undefined;
  }
  return undefined;
}

/** Fewer of them are a pair of callbacks rather than a queue. */
const LEAST_UNNAMED = 2;

/** Minified or called anything: where each that stands in it owns the end of a promise, they wait. */
function unnamedQueue(walk: Walk, line: Line): { name: string; node: number } | undefined {
  if (line.size < LEAST_UNNAMED || isHidden(walk, line.node)) return undefined;
  const some = line.some().filter(value => value !== undefined && value !== null);
  if (some.length === 0 || !some.every(value => settles(value, 1))) return undefined;
  return { name: propertyOf(walk, line.node) ?? variableOf(walk, line.node) ?? 'queue', node: line.node };
}

/** Bound arguments, a promise's result: not kept by anybody under a name. */
function isHidden(walk: Walk, node: number): boolean {
  const edge = node >= 0 ? walk.tree.edgeOf(node) : undefined;
  return typeof edge === 'object' && edge.kind === 'internal';
}

/** V8's own `resolve` and `reject` have no name, take one argument and show no text; wrapped, their field says it. */
function settles(value: unknown, depth: number): boolean {
  if (typeof value === 'function')
    return own(value, 'name') === '' && own(value, 'length') === 1 && functionText(value) === RESOLVER;
  if (!isObject(value) || depth === 0) return false;
  const keys = ownKeys(value).slice(0, 24);
  return keys.some(key => {
    const field = isUntouchable(value, key) ? undefined : own(value, key);
    return (typeof field === 'function' && hasWord(String(key), SETTLERS)) || settles(field, depth - 1);
  });
}

const SETTLERS = ['resolve', 'reject'];

const RESOLVER = 'function () { [native code] }';

/** The object whose property the queue is: known from any of its containers. */
function ownerAbove(walk: Walk, node: number, owners: Map<number, Lists>): { node: number; lists: Lists } | undefined {
  const at = walk.tree.parentOf(node);
  const lists = owners.get(at);
  return lists && { node: at, lists };
}

/** A queue of a class of its own says nothing of how many may be served: the object that keeps it does. */
function boundAbove(
  walk: Walk,
  near: { node: number; lists: Lists },
  owners: Map<number, Lists>,
): { node: number; lists: Lists } | undefined {
  if (hasBound(near.lists.owner)) return undefined;
  const above = ownerAbove(walk, near.node, owners);
  return above && hasBound(above.lists.owner) ? above : undefined;
}

const hasBound = (owner: object): boolean => Object.keys(numbersOf(owner)).some(name => hasWord(name, LIMITS));

const isPoolName = (name: string): boolean =>
  hasWord(name, POOL) || withoutPrefix(name, '_').toLowerCase().startsWith('all');

function isPool({ lists, owner }: Lists): boolean {
  const names = Object.keys(lists).filter(name => isPoolName(name) || hasWord(name, QUEUE));
  return names.length >= 2 && hasBound(owner);
}

function row(
  realm: Realm,
  walk: Walk,
  node: number,
  { owner, lists }: Lists,
  said: Pick<Holder, 'queue' | 'waiting' | 'waiters'>,
): Holder {
  const path = walk.tree.path(node);
  const unreadBytes = unreadOf(owner);
  const numbers = { ...numbersOf(owner), ...(unreadBytes > 0 ? { unreadBytes } : {}) };
  const running = said.waiting > 0 ? runningIn(realm, owner) : [];
  return { ...said, name: classOf(realm, owner), path, numbers, lists, ...(running.length > 0 ? { running } : {}) };
}

/** What its own connection has received and nobody has taken: an answer whose body is not read. */
function unreadOf(owner: object): number {
  for (const key of ownKeys(owner).slice(0, MOST_FIELDS)) {
    const stream = isUntouchable(owner, key) ? undefined : own(owner, key);
    // `connecting` is a socket's own field on all versions; `_handle` is an accessor on some.
    const isSocket = isObject(stream) && own(stream, 'connecting') !== undefined;
    const state = isSocket ? own(stream, '_readableState') : undefined;
    const length = isObject(state) ? own(state, 'length') : undefined;
    if (typeof length === 'number' && length > 0) return length;
  }
  return 0;
}

/** Functions, deferreds, or objects one of whose fields is a function, at most two levels deep. */
function isWaiter(value: unknown, depth: number): boolean {
  if (typeof value === 'function') return true;
  if (!isObject(value) || depth === 0) return false;
  const keys = ownKeys(value).slice(0, 12);
  return keys.some(key => !isUntouchable(value, key) && isWaiter(own(value, key), depth - 1));
}

function numbersOf(owner: object): { [name: string]: number } {
  const numbers: { [name: string]: number } = {};
  const parts = partsOf(owner);
  const places = [owner, ...parts, ...parts.flatMap(partsOf)];
  for (const place of places) {
    for (const key of ownKeys(place).slice(0, MOST_FIELDS)) {
      if (typeof key !== 'string' || !hasWord(key, NUMBERS)) continue;
      const value = own(place, key);
      if (typeof value === 'number' && Number.isFinite(value)) numbers[key] = value;
      else if (typeof value === 'boolean') numbers[key] = value ? 1 : 0;
    }
  }
  return numbers;
}

const partsOf = (owner: object): object[] =>
  OPTIONS.flatMap(name => (isUntouchable(owner, name) ? [] : [own(owner, name)])).filter(isObject);

function propertyOf(walk: Walk, node: number): string | undefined {
  const edge = walk.tree.edgeOf(node);
  if (typeof edge === 'string') return edge;
  if (typeof edge === 'symbol') return edge.description;
  return edge?.kind === 'private' ? edge.name : undefined;
}

function variableOf(walk: Walk, node: number): string | undefined {
  const edge = walk.tree.edgeOf(node);
  return typeof edge === 'object' && edge.kind === 'variable' ? edge.name : undefined;
}
