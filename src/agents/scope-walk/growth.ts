import type * as v8 from 'node:v8';
import type {
  Container,
  EntrySample,
  GrowingContainer,
  HolderLimit,
  MemorySample,
  SizedContainer,
} from '../../model/evidence/collection-growth.js';
import { filledShare, isLimit, ownerLimits, sizeOf, someEntries, type Watched } from './containers.js';
import { familiesOf, familyRow, isAlone, lastOf, lastSize, type Row, withFamilies } from './families.js';
import { limitsByGetter } from './limit-getters.js';
import { classOf, LIMITS, type Realm } from './realm.js';
import type { Sizer } from './sizing.js';
import type { TimerGroup, Timers } from './timers.js';
import { treesOf } from './trees.js';
import type { Walk } from './walk.js';

/** A walk that ended, with the timers of its moment. */
export interface Seen {
  readonly walk: Walk;
  readonly timers: readonly TimerGroup[];
}

/** Rows weighed at the end, by entries per second; and how many of each list go out. */
const WEIGHED = 60;
const GROWING_OUT = 20;
const BIGGEST_OUT = 12;
/** A dictionary that takes longer than this to count is read every fourth time, in milliseconds. */
const SLOW_COUNT_MS = 2;
/** Smaller containers are not worth a line among the biggest. */
const SMALLEST_BIG = 500;
/** A list's entry costs at least its node. */
const LIST_ENTRY_BYTES = 32;
/** Of an array with fewer slots in use it is the empty ones that become more: undici cuts them off every 256. */
const FILLED_SHARE = 0.25;

/** What a program's own class may extend. */
const EXTENDED: ReadonlySet<Watched['kind']> = new Set(['Map', 'Set', 'Array']);

/** Sizes over time of the first walk's containers, and what the last walk adds. */
export class Growth {
  readonly times: number[] = [];
  readonly memory: MemorySample[] = [];
  private readonly timerCounts: Map<number, number>[] = [];
  private startedAt: number | undefined;

  constructor(
    private readonly realm: Realm,
    private readonly timers: Timers,
    private readonly sizer: Sizer,
    private readonly first: Seen,
  ) {}

  /** Reads all sizes once, in slices; then calls `done`. */
  tick(done: () => void): void {
    const { now, setImmediate } = this.realm.host;
    this.startedAt ??= now();
    const at = (now() - this.startedAt) / 1000;
    const index = this.times.length;
    this.times.push(Math.round(at * 100) / 100);
    this.timerCounts.push(this.timers.counts());
    this.memory.push(this.readMemory(at));
    let next = 0;
    const slice = () => {
      const until = now() + LIMITS.sliceMs;
      const { containers } = this.first.walk.watchlist;
      for (; next < containers.length && ((next & 31) !== 0 || now() < until); next++) {
        const watched = containers[next];
        if (watched && !watched.gone) this.read(watched, index);
      }
      if (next < containers.length) setImmediate(slice);
      else done();
    };
    setImmediate(slice);
  }

  /** Growing rows, weighed in slices. */
  weigh(last: Seen, done: (rows: GrowingContainer[], grewCount: number) => void): void {
    const rows = [...this.steadyRows(last.walk), ...withFamilies(this.replacedRows(last.walk))];
    const seconds = this.seconds();
    rows.sort((a, b) => gain(b.sizes) - gain(a.sizes));
    const out: GrowingContainer[] = [];
    const jobs = rows.slice(0, WEIGHED).map(row => () => {
      const grown = this.growing(row, seconds);
      if (grown) out.push(grown);
    });
    for (const group of last.timers) {
      jobs.push(() => {
        const grown = this.growingTimers(group, seconds);
        if (grown) out.push(grown);
      });
    }
    this.inSlices(jobs, () => {
      out.sort((a, b) => b.bytesPerSecond - a.bytesPerSecond);
      done(out.slice(0, GROWING_OUT), rows.length);
    });
  }

  biggest(last: Seen, done: (rows: SizedContainer[]) => void): void {
    const { walk } = last;
    const big = walk.watchlist.containers.filter(
      one => one.first >= SMALLEST_BIG && one.kind !== 'chain' && one.kind !== 'list' && one.kind !== 'string',
    );
    big.sort((a, b) => b.first - a.first);
    const out: SizedContainer[] = [];
    const jobs = big.slice(0, 2 * BIGGEST_OUT).map(watched => () => {
      const object = watched.ref.deref();
      if (!object) return;
      const entry = this.sizer.sample(someEntries(object, watched.kind, watched.key));
      out.push({ ...this.container(watched, walk, object, watched.first), entry, bytes: entry.bytes * watched.first });
    });
    this.inSlices(jobs, () => done(out.sort((a, b) => b.bytes - a.bytes).slice(0, BIGGEST_OUT)));
  }

  private read(watched: Watched, index: number): void {
    const object = watched.ref.deref();
    if (!object) {
      watched.gone = true;
      return;
    }
    if (watched.slow && index % 4 !== 0) {
      this.note(watched, index, null);
      return;
    }
    const { now } = this.realm.host;
    const from = now();
    const size = this.sizeSafely(object, watched);
    if (watched.kind === 'object' || watched.kind === 'chain') watched.slow = now() - from > SLOW_COUNT_MS;
    if (size === undefined) watched.gone = true;
    else if (watched.sizes || size !== watched.first) this.note(watched, index, size);
  }

  private sizeSafely(object: object, watched: Watched): number | undefined {
    try {
      return sizeOf(object, watched.kind, watched.key, lastOf(watched));
    } catch {
      return undefined;
    }
  }

  private note(watched: Watched, index: number, size: number | null): void {
    watched.sizes ??= new Array<number>(index).fill(watched.first);
    watched.sizes[index] = size;
  }

  private steadyRows(last: Walk): Row[] {
    const { walk } = this.first;
    const grown = walk.watchlist.containers.filter(one => one.sizes && !one.gone && lastOf(one) > one.first);
    const trees = treesOf(grown, { first: walk, last, times: this.times });
    const inTree = new Set(trees.flatMap(({ members }) => members));
    const families = familiesOf(
      walk,
      grown.filter(one => !inTree.has(one)),
    );
    const alone = new Set([...inTree, ...families.flatMap(([, members]) => members)]);
    return [
      ...grown
        .filter(one => !alone.has(one))
        .map(watched => ({ watched, walk, sizes: [...(watched.sizes ?? [])], replaced: false })),
      ...families.map(family => familyRow(walk, this.times, family)),
      ...trees.map(({ row }) => row),
    ];
  }

  /** Same path, another object: a container that is copied to grow. New paths are no evidence of growth. */
  private replacedRows(last: Walk): Row[] {
    const { walk } = this.first;
    if (last === walk) return [];
    const lost = new Map<string, Watched>();
    for (const old of walk.watchlist.containers) {
      const object = old.ref.deref();
      if (!object || !last.watchlist.byObject.has(object) || old.kind === 'string')
        lost.set(`${old.kind}|${walk.tree.key(old.node)}`, old);
    }
    return last.watchlist.containers.flatMap(watched => {
      const object = watched.ref.deref();
      const isVariable = watched.kind === 'string' && watched.key === undefined;
      if (!object || last.tree.isSampled(watched.node)) return [];
      if (isVariable ? false : watched.kind === 'string' || walk.watchlist.byObject.has(object)) return [];
      const old = lost.get(`${watched.kind}|${last.tree.key(watched.node)}`);
      if (!old || watched.first <= old.first) return [];
      if (last.tree.isPlaced(watched.node) && hasMoved(old, watched)) return [];
      return [{ watched, walk: last, sizes: this.endpoints(old.first, watched.first), replaced: true }];
    });
  }

  private endpoints(first: number, last: number): (number | null)[] {
    const sizes = new Array<number | null>(Math.max(2, this.times.length)).fill(null);
    sizes[0] = first;
    sizes[sizes.length - 1] = last;
    return sizes;
  }

  private growing(row: Row, seconds: number): GrowingContainer | undefined {
    const object = row.watched.ref.deref();
    if (!object) return undefined;
    const { kind, key } = row.watched;
    const sampled = kind === 'string' ? CHARACTER : this.sizer.sample(someEntries(object, kind, key));
    // A number field without a link beside it may count anything: requests served, say.
    const floor = (kind === 'list' || kind === 'chain') && sampled.text !== '' ? LIST_ENTRY_BYTES : 0;
    const isEmptied = kind === 'Array' && filledShare(object as unknown[]) < FILLED_SHARE; // the kind says so
    const bytes = (isEmptied ? 0 : Math.max(sampled.bytes, floor)) + (SLOT_BYTES[kind] ?? 0);
    const entry = { ...sampled, bytes };
    const perSecond = gain(row.sizes) / seconds;
    return {
      ...this.container(row.watched, row.walk, object, lastSize(row.sizes)),
      limits: [...this.privateLimits(row.watched), ...ownerLimits(row.watched)],
      ...(row.kin !== undefined && { path: row.walk.tree.kinPath((row.top ?? row.watched).node), kin: row.kin }),
      ...(row.kin === undefined && isAlone(row.walk, row.watched) && { alone: true }),
      sizes: row.sizes,
      perSecond: round(perSecond),
      entry,
      bytesPerSecond: Math.round(perSecond * entry.bytes),
      ...(row.replaced && { replaced: true }),
    };
  }

  private container(watched: Watched, walk: Walk, object: object, size: number): Container {
    const owner = watched.maker?.deref();
    const ownerClass = owner && classOf(this.realm, owner);
    const ownerCode = (owner && this.sizer.classCode(owner)) ?? this.codeAbove(watched, walk);
    const className = classOf(this.realm, object);
    const classCode = EXTENDED.has(watched.kind) && className !== watched.kind && this.sizer.classCode(object);
    return {
      path: walk.tree.path(watched.node),
      kind: watched.kind,
      className,
      ...(ownerClass && { ownerClass }),
      ...(ownerCode && { ownerCode }),
      ...(classCode && { classCode }),
      size,
      limits: ownerLimits(watched),
    };
  }

  /** A Set in a Map belongs to who has the Map. */
  private codeAbove({ node }: Watched, { watchlist, tree }: Walk): Container['ownerCode'] {
    const above = tree.collectionAbove(node);
    if (above < 0 || above !== tree.parentOf(node)) return undefined;
    const maker = watchlist.containers.find(one => one.node === above)?.maker?.deref();
    return maker && this.sizer.classCode(maker);
  }

  /** Bounds that the holder keeps in #private fields. */
  private privateLimits({ owner }: Watched): HolderLimit[] {
    const holder = owner?.deref();
    if (!holder) return [];
    const numbers = this.sizer.privateNumbers(holder);
    const named = numbers.filter(({ name }) => isLimit(name));
    return named.length > 0 ? named : limitsByGetter(holder, numbers);
  }

  private growingTimers(group: TimerGroup, seconds: number): GrowingContainer | undefined {
    const before = this.first.timers.filter(one => sameTimers(one, group)).reduce((sum, one) => sum + one.count, 0);
    if (group.count <= before) return undefined;
    const timers = group.some.flatMap(ref => ref.deref() ?? []);
    const entry = this.sizer.sample(timers.map(timer => [undefined, timer] as const));
    const perSecond = (group.count - before) / seconds;
    return {
      path: [{ kind: 'root', name: 'active timers' }],
      kind: 'timers',
      className: group.name,
      size: group.count,
      limits: [],
      timer: { ms: group.ms, repeats: group.repeats, ...(group.callback && { callback: group.callback }) },
      sizes: this.timerSizes(group, before),
      perSecond: round(perSecond),
      entry,
      bytesPerSecond: Math.round(perSecond * entry.bytes),
    };
  }

  /** The readings between the walks count by duration; they are this group's when the group is nearly all of it. */
  private timerSizes(group: TimerGroup, before: number): (number | null)[] {
    const counts = this.timerCounts.map(byMs => byMs.get(group.ms) ?? 0);
    const all = (counts.at(-1) ?? 0) - (counts[0] ?? 0);
    const own = group.count - before;
    return all > 0 && own / all > 0.8 ? counts : this.endpoints(before, group.count);
  }

  /** True when there are clearly more timers of some duration than at the first reading. */
  timersGrew(): boolean {
    const first = this.timerCounts[0];
    const last = this.timerCounts.at(-1);
    if (!first || !last) return false;
    return [...last].some(([ms, count]) => count > (first.get(ms) ?? 0) + 2);
  }

  private seconds(): number {
    return Math.max(this.times.at(-1) ?? 0, 0.5);
  }

  private readMemory(at: number): MemorySample {
    const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
    const { getHeapStatistics } = this.realm.host.require('node:v8') as typeof v8;
    const timers = [...(this.timerCounts.at(-1)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
    return {
      at: round(at),
      heapUsedBytes: heapUsed,
      externalBytes: external,
      arrayBuffersBytes: arrayBuffers,
      rssBytes: rss,
      nativeContexts: getHeapStatistics().number_of_native_contexts,
      timers,
      sockets: process.getActiveResourcesInfo().filter(isSocket).length,
    };
  }

  private inSlices(jobs: readonly (() => void)[], done: () => void): void {
    const { now, setImmediate } = this.realm.host;
    let next = 0;
    const slice = () => {
      const until = now() + LIMITS.sliceMs;
      for (; next < jobs.length && now() < until; next++) this.attempt(jobs[next]);
      if (next < jobs.length) setImmediate(slice);
      else done();
    };
    setImmediate(slice);
  }

  private attempt(job: (() => void) | undefined): void {
    try {
      job?.();
    } catch {
      // A revoked proxy inside an entry: this container goes without a row.
    }
  }
}

/** What the container itself needs for one more: words of a hash table that is two thirds full, a word of an array. */
const SLOT_BYTES: { readonly [kind: string]: number } = { Map: 36, Set: 24, Array: 8, object: 36 };
/** What a string gains by one more. */
const CHARACTER: EntrySample = { type: 'string', text: 'character', bytes: 1, externalBytes: 0 };
const isSocket = (type: string): boolean => type === 'TCPSocketWrap' || type === 'PipeWrap';
const round = (value: number): number => Math.round(value * 100) / 100;
const gain = (sizes: readonly (number | null)[]): number => lastSize(sizes) - (sizes.find(size => size !== null) ?? 0);

function sameTimers(a: TimerGroup, b: TimerGroup): boolean {
  if (a.ms !== b.ms || a.repeats !== b.repeats || a.name !== b.name) return false;
  const [x, y] = [a.callback, b.callback];
  return x?.scriptId === y?.scriptId && x?.line === y?.line && x?.column === y?.column;
}

/** Whoever had the former one is still there, and this one is somebody else's. */
const hasMoved = (former: Watched, watched: Watched): boolean =>
  former.ownerLives && former.owner?.deref() !== watched.owner?.deref();
