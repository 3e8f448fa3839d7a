import type { Room, ScopeWalkPart, ScopeWalkResult } from '../agents/scope-walk/index.js';
import { filePath, isUserCode, packageOf } from '../base/script-url.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import { standstill } from '../inspector/standstill.js';
import type {
  CollectionGrowth,
  CollectionGrowthParams,
  GrowingContainer,
} from '../model/evidence/collection-growth.js';
import { withUrls } from './collection-growth-urls.js';
import type { CollectContext, Collector, Reading } from './collector.js';
import { rememberScripts } from './source.js';
import { isPilingUp, isSlowing, isWorthWatching, isWorthWatchingStill } from './worth-watching.js';

/** 10 s can't tell a cache still filling from a leak, 20 s could. */
const WATCH_SECONDS = 20;
/** When by then nothing grows that could be a leak, the rest of the window would show nothing either. */
const QUIET_AFTER_SECONDS = 8;
/** … and by then with a cause known: what still grows beside it shows its first entries. */
const QUIET_KNOWN_SECONDS = 3;
/** To leave early once the run knows a cause: a request under way may look like growth at one of them. */
const KNOWN_TRIES = 3;
/** What coverage and profiles of other readings were seen to leave on the heap, at most. */
const OWN_BYTES = 2 * 1024 * 1024;
/** A request that waits keeps its socket, its answer and what its caller sent: 20 to 48 kB measured. */
const WAITING_BYTES = 64 * 1024;
/** Two collections nearer to each other compare requests under way, not what stays. */
const SHORTEST_LIVE_SECONDS = 5;
/** Live heap that rises by less than this is the noise of two collections, in bytes a second. */
const NOISE_LIVE = 40_000;
/** What rose at first and does not go on with half of that has stopped. */
const CLEARLY_QUIET = 0.5;
/** Short enough to force one collection more. */
const SHORT_COLLECTION_MS = 120;
const READ_EVERY_MS = 1000;
const ASK_EVERY_MS = 200;
const POLL_MS = 40;
/** The walk bounds itself to 12 s of wall time; a busy loop delays even that. */
const WALK_LIMIT_MS = 25_000;
const CALL_TIMEOUT_MS = 30_000;
/** Measured: 828 ms at 250 MB. */
const COLLECTION_MS_PER_MB = 3.3;
const COLLECTION_BASE_MS = 20;
/** Debugger.enable: 51 ms at small heaps, 162 at 271 MB. */
const DEBUGGER_MS_PER_MB = 0.45;
const DEBUGGER_BASE_MS = 40;
/** Live heap that rises by less than this was not worth asking whether code is compiled at run time, in bytes a second. */
const UNEXPLAINED_GROWTH = 20_000;

const MB = 1024 * 1024;
const MOST_SCRIPTS = 80;
/** A whole walk takes at most a quarter of it. */
const AMPLE_ROOM = 120 * MB;
/** The inspector's own answers and a walk of a few thousand objects. */
const LEAST_ROOM = 12 * MB;

/** Which containers grow, who holds them by name: walks the target's scopes twice and reads sizes each second between. */
export const collectionGrowthCollector: Collector<'collection-growth'> = {
  kind: 'collection-growth',
  title: 'Growing collections',
  cost: 'pausing',
  estimate({ heapUsedBytes }) {
    return { pauseMs: DEBUGGER_BASE_MS + (heapUsedBytes / MB) * DEBUGGER_MS_PER_MB, memoryBytes: 20 * MB };
  },
  async collect(session, params, context) {
    const watch = new Watch(session, context);
    try {
      return await watch.run(params);
    } finally {
      // A lost target has nothing left to take back.
      await session.agent.remove('scope-walk').catch(() => undefined);
    }
  },
};

type Scripts = Map<string, string>;

interface LiveHeap {
  readonly bytes: number;
  readonly contexts: number;
  readonly at: number;
}

class Watch {
  private pausedMs = 0;
  private longestPauseMs = 0;
  /** After forced collections, oldest first; the first may hold what other readings have V8 keep for a while. */
  private readonly lives: LiveHeap[] = [];
  /** The first collection is done or refused, not still waiting for its turn. */
  private firstAsked = false;

  constructor(
    private readonly session: Session,
    private readonly context: CollectContext,
  ) {}

  async run(params: CollectionGrowthParams): Promise<Reading<CollectionGrowth>> {
    const seconds = params.seconds ?? WATCH_SECONDS;
    const quietAfter = params.quietAfter ?? QUIET_AFTER_SECONDS;
    const scripts = await this.prepare();
    await this.letWarmUp(params.warmSeconds ?? 0);
    await this.makeRoom();
    await this.walk();
    // It may have to wait for its turn: sizes are read meanwhile.
    const first = this.liveHeap().then(
      live => {
        if (live) this.lives.push(live);
        this.firstAsked = true;
      },
      () => undefined, // lost: the next reading says so
    );
    const stoppedEarly = await this.watch(seconds, quietAfter);
    await first;
    const result = await this.call<ScopeWalkResult>('result');
    const live = this.liveOf();
    const compiled = await this.compiledSince(scripts, result, live);
    const data = await this.assemble(result, scripts, stoppedEarly, { live, compiled });
    const cut = result.walks.some(walk => walk.cut);
    const longestSliceMs = Math.max(...result.walks.map(walk => walk.longestSliceMs));
    return {
      data,
      pausedMs: Math.round(this.pausedMs + longestSliceMs),
      longestPauseMs: Math.round(Math.max(this.longestPauseMs, longestSliceMs)),
      ...(cut && { partial: 'The walk met a bound before it had seen every object.' }),
    };
  }

  private async prepare(): Promise<Scripts> {
    const scripts = await this.scripts();
    const internalScripts = [...scripts].filter(([, url]) => /^(node|lens):/.test(url)).map(([id]) => id);
    const packageScripts = [...scripts].filter(([, url]) => packageOf(url) !== undefined).map(([id]) => id);
    await this.session.agent.install('scope-walk', { internalScripts, packageScripts });
    return scripts;
  }

  private async letWarmUp(warmSeconds: number): Promise<void> {
    const { uptimeSeconds } = await this.call<Room>('room');
    if (uptimeSeconds < warmSeconds) await this.rest((warmSeconds - uptimeSeconds) * 1000);
  }

  /** Near V8's limit the garbage goes first; where little is left even then, a walk could end the process. */
  private async makeRoom(): Promise<void> {
    if ((await this.room()) >= AMPLE_ROOM) return;
    await this.liveHeap();
    const left = await this.room();
    if (left < LEAST_ROOM)
      throw new Error(
        `V8's heap has only ${Math.round(left / MB)} MB left before its limit: walking it could end the process.`,
      );
  }

  private async room(): Promise<number> {
    const { limitBytes, usedBytes } = await this.call<Room>('room');
    return limitBytes - usedBytes;
  }

  /** Sizes each second; true when nothing grew and the window was cut short. Ends with a second walk and the weighing. */
  private async watch(seconds: number, quietAfter: number): Promise<boolean> {
    const from = this.context.now();
    let until = seconds;
    const mayLeave = quietAfter > 0 && quietAfter < seconds;
    let hasTried = false;
    let knownTries = 0;
    let triedAt = 0;
    for (;;) {
      await this.work('tick');
      const passed = (this.context.now() - from) / 1000;
      if (passed >= until) {
        if (until > seconds || !(await this.isUndecided())) break;
        until = 2 * seconds;
      }
      const known = this.context.causeKnown?.() ?? false;
      const isDue = known
        ? knownTries < KNOWN_TRIES && passed >= triedAt + QUIET_KNOWN_SECONDS
        : !hasTried && passed >= quietAfter && this.canCompareLive();
      if (mayLeave && isDue) {
        if (known) knownTries++;
        else hasTried = true;
        triedAt = passed;
        if ((await this.isQuiet()) && (await this.isStillQuiet())) return true;
      }
      await this.rest(Math.min(READ_EVERY_MS, Math.max(50, (until - passed) * 1000)));
    }
    await this.lookAgain();
    return false;
  }

  /** Ends early at the moment in which a cause becomes known. */
  private async rest(ms: number): Promise<void> {
    const until = this.context.now() + ms;
    const isKnown = () => this.context.causeKnown?.() ?? false;
    const knew = isKnown();
    while (this.context.now() < until && isKnown() === knew)
      await this.context.sleep(Math.min(ASK_EVERY_MS, until - this.context.now()));
  }

  /** What no container explains shows in the live heap alone: without two readings of it nothing is proven quiet. */
  private canCompareLive(): boolean {
    if (!this.firstAsked) return false;
    const [first] = this.lives;
    return !first || this.context.now() - first.at >= SHORTEST_LIVE_SECONDS * 1000;
  }

  /** The second collection comes before the second walk: lens' own memory is then the same as at the first. */
  private async lookAgain(): Promise<void> {
    if (this.canCompareLive()) await this.readLiveAgain();
    await this.walk();
    await this.work('weigh');
  }

  /** True when something slows down a little: a cache that fills, or a leak with less traffic. Only time can tell. */
  private async isUndecided(): Promise<boolean> {
    await this.work('weigh');
    const { growing } = await this.call<ScopeWalkResult>('result');
    return growing.some(row => isWorthWatching(row) && isSlowing(row));
  }

  private async isQuiet(): Promise<boolean> {
    const known = this.context.causeKnown?.() ?? false;
    if (!known && (await this.call<boolean>('timersGrew'))) return false;
    await this.work('weigh');
    const { growing } = await this.call<ScopeWalkResult>('result');
    return !growing.some(known ? this.isNew : isWorthWatching);
  }

  /** With a cause known: not what the requests pile up that wait for it. */
  private readonly isNew = (row: GrowingContainer): boolean =>
    isWorthWatchingStill(row) && !isPilingUp(row, this.pilingRates());

  private pilingRates(): readonly number[] {
    return this.context.pilingRates?.() ?? [];
  }

  /** A second walk shows containers that are replaced when they grow, which the sizes alone don't. */
  private async isStillQuiet(): Promise<boolean> {
    await this.lookAgain();
    const { growing } = await this.call<ScopeWalkResult>('result');
    if (this.isEnough() && !growing.some(this.isNew)) return true;
    if (growing.some(isWorthWatching)) return false;
    return !(await this.risesLater());
  }

  /**
   * Coverage and profiles of other readings raise live heap by megabytes, in the first reading or since: a leak would
   * hide in that, or be made up by it. What rises goes on to rise.
   */
  private async risesLater(): Promise<boolean> {
    const known = this.lives.at(-1);
    if (!known || collectionMs(known.bytes) > SHORT_COLLECTION_MS) return this.liveRises();
    const rose = this.liveRises();
    const until = this.context.now() + SHORTEST_LIVE_SECONDS * 1000;
    while (this.context.now() < until) {
      await this.context.sleep(Math.min(READ_EVERY_MS, until - this.context.now()));
      if (this.isEnough()) return false;
    }
    await this.readLiveAgain();
    return rose ? this.liveRises(CLEARLY_QUIET * NOISE_LIVE, known) : this.liveRises();
  }

  private async readLiveAgain(): Promise<void> {
    const live = this.lives.length > 0 ? await this.liveHeap() : undefined;
    if (live) this.lives.push(live);
  }

  /** From the lowest of the earlier readings, or from the one given. */
  private liveRises(noise = NOISE_LIVE, since?: LiveHeap): boolean {
    const live = this.liveOf(since);
    return live !== undefined && (live.lastBytes - live.firstBytes) / live.seconds > noise;
  }

  /** A cause is known, and what live heap gained may be lens' own doing. */
  private isEnough(): boolean {
    const live = this.liveOf();
    const piled = Math.max(0, ...this.pilingRates()) * WAITING_BYTES;
    const soars = live !== undefined && live.lastBytes - live.firstBytes > OWN_BYTES + piled * live.seconds;
    return !soars && (this.context.causeKnown?.() ?? false);
  }

  private paused(ms: number): void {
    this.pausedMs += ms;
    this.longestPauseMs = Math.max(this.longestPauseMs, ms);
  }

  private walk(): Promise<void> {
    return this.context.exclusively(() => this.work('walk'));
  }

  /** Begins a piece of work in the target and waits until it is done. */
  private async work(method: 'walk' | 'tick' | 'weigh'): Promise<void> {
    await this.call(method);
    const until = this.context.now() + WALK_LIMIT_MS;
    while (await this.call<boolean>('busy')) {
      if (this.context.now() > until)
        throw new Error('The target had no time for the walk: its event loop is blocked.');
      await this.context.sleep(POLL_MS);
    }
  }

  private call<T>(method: Exclude<keyof ScopeWalkPart, 'dispose'>): Promise<T> {
    return this.session.agent.call<T>('scope-walk', method, [], { timeoutMs: CALL_TIMEOUT_MS });
  }

  private scripts(): Promise<Scripts> {
    return this.context.exclusively(() =>
      this.session.withDebugger(async (debug: DebuggerConnection) => {
        this.paused(debug.pausedMs);
        const scripts = new Map([...debug.scripts].map(([id, { url }]) => [id, url]));
        rememberScripts(this.session, scripts);
        return scripts;
      }),
    );
  }

  /** heapUsed after a forced full collection; undefined when the guard forbids one. */
  private async liveHeap(): Promise<LiveHeap | undefined> {
    const { usedSize } = await this.session.send('Runtime.getHeapUsage');
    if (!this.context.mayPause(collectionMs(usedSize), 'a forced collection')) return undefined;
    await this.context.exclusively(async () => {
      const collect = () => this.session.send('HeapProfiler.collectGarbage');
      this.paused((await standstill(this.session, this.session.target.pid, collect)).pausedMs);
    });
    const after = await this.session.send('Runtime.getHeapUsage');
    const { nativeContexts } = await this.call<Room>('room');
    return { bytes: after.usedSize, contexts: nativeContexts, at: this.context.now() };
  }

  /** From the lowest of the earlier readings to the last. */
  private liveOf(since?: LiveHeap): CollectionGrowth['liveHeap'] {
    const last = this.lives.at(-1);
    if (!last) return undefined;
    const earlier = this.lives.filter(one => last.at - one.at >= SHORTEST_LIVE_SECONDS * 1000);
    const [first] = since ? [since] : earlier.sort((a, b) => a.bytes - b.bytes);
    if (!first) return undefined;
    const seconds = Math.round((last.at - first.at) / 100) / 10;
    const contexts = { firstContexts: first.contexts, lastContexts: last.contexts };
    return { firstBytes: first.bytes, lastBytes: last.bytes, seconds, ...contexts };
  }

  /** Scripts alive now against the beginning: only asked when the heap grew and no container says why. */
  private async compiledSince(
    before: Scripts,
    result: ScopeWalkResult,
    live: CollectionGrowth['liveHeap'],
  ): Promise<CollectionGrowth['scripts']> {
    if (!live) return undefined;
    const rate = (live.lastBytes - live.firstBytes) / Math.max(1, live.seconds);
    const explained = result.growing.reduce((sum, row) => sum + row.bytesPerSecond, 0);
    if (rate < UNEXPLAINED_GROWTH || explained > rate / 2) return undefined;
    const [first, last] = [countByUrl(before), countByUrl(await this.scripts())];
    return [...last]
      .map(([url, count]) => ({ url, first: first.get(url) ?? 0, last: count }))
      .filter(one => one.last > one.first + 2)
      .sort((a, b) => b.last - b.first - (a.last - a.first))
      .slice(0, 10);
  }

  private async assemble(
    result: ScopeWalkResult,
    scripts: Scripts,
    stoppedEarly: boolean,
    also: { readonly live: CollectionGrowth['liveHeap']; readonly compiled: CollectionGrowth['scripts'] },
  ): Promise<CollectionGrowth> {
    const known = withUrls(result, scripts);
    const named = known.missing ? withUrls(result, await this.scripts()) : known;
    return {
      seconds: result.times.at(-1) ?? 0,
      times: result.times,
      growing: named.growing,
      grewCount: result.grewCount,
      biggest: named.biggest,
      memory: result.memory,
      ...(also.live && { liveHeap: also.live }),
      modules: result.modules,
      ...(also.compiled && { scripts: also.compiled }),
      applicationScripts: applicationScripts(scripts, result.files),
      closureChains: named.closureChains,
      walks: result.walks,
      unlisted: result.unlisted,
      stoppedEarly,
      uptimeSeconds: result.uptimeSeconds,
    };
  }
}

const collectionMs = (usedBytes: number): number => COLLECTION_BASE_MS + (usedBytes / MB) * COLLECTION_MS_PER_MB;

const SCRIPT = /\.[cm]?[jt]sx?$/;

/** Once a module without functions has run, V8 forgets its script: it goes by its file's name. */
function applicationScripts(
  scripts: Scripts,
  files: readonly string[],
): NonNullable<CollectionGrowth['applicationScripts']> {
  const loaded = [...scripts].filter(([, url]) => isUserCode(url)).map(([scriptId, url]) => ({ scriptId, url }));
  const known = new Set(loaded.map(({ url }) => filePath(url)));
  const forgotten = files
    .filter(file => SCRIPT.test(file) && !known.has(filePath(file)))
    .map(file => ({ scriptId: file, url: file }));
  return [...loaded, ...forgotten].slice(0, MOST_SCRIPTS);
}

function countByUrl(scripts: Scripts): Map<string, number> {
  const counts = new Map<string, number>();
  for (const url of scripts.values()) counts.set(url, (counts.get(url) ?? 0) + 1);
  return counts;
}
