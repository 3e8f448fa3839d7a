import { Redactor } from '../../base/redact.js';
import { hostCollector } from '../../collectors/host.js';
import { processCollector } from '../../collectors/process.js';
import { vitalsCollector } from '../../collectors/vitals.js';
import { attach } from '../../inspector/attach.js';
import { readNodeProcess } from '../../inspector/node-processes.js';
import type { Session } from '../../inspector/session.js';
import { LensError } from '../../model/error.js';
import { measured, STABILITY } from '../../model/vital-metrics.js';
import type {
  Alert,
  AlertEventBody,
  HealthWord,
  Measures,
  WatchEventBody,
  WatchedTarget,
} from '../../model/watch-event.js';
import type { AlertNews } from '../../monitor/alert-book.js';
import { healthOf, Stability } from '../../monitor/health.js';
import { type Intervals, isNamed, Schedule } from '../../monitor/intervals.js';
import { type MonitorOptions, TargetMonitor } from '../../monitor/target-monitor.js';
import { recall, remember, tellSafely } from '../../stores/watch-memory.js';
import { type Found, foundOf } from './census.js';
import { lookWithin } from './look.js';
import { type OwnMetrics, OwnReadings } from './own-metrics.js';

/** What the settings say of readings; may change while lens watches. */
export interface WatchPlan {
  readonly intervalMs: number;
  readonly monitor: MonitorOptions;
  readonly own: OwnMetrics;
  readonly every: Intervals;
  /** Investigations may ask a model. */
  readonly model: boolean;
}

/** What all keepers of a watch share. */
export interface KeeperEnv {
  readonly plan: () => WatchPlan;
  readonly home: string;
  readonly emit: (event: WatchEventBody) => void;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** True when an investigation may begin now; books it. */
  readonly mayInvestigate: () => boolean;
  readonly onEnded: (keeper: Keeper, life: Life) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const SAVE_EVERY_MS = 5 * 60_000;
/** A start is measured to some hundred milliseconds. */
const RESTART_MS = 2_000;

/** What of /proc is slow to read by hundreds of descriptors: left out when none of its metrics is due. */
const OUTSIDE = ['fds.*', 'sockets.*', 'threads.*', 'children.*'];
/** Reading the host takes two seconds: below this the rounds would become longer by it. */
const HOST_WITHIN_MS = 2_500;
/** Metrics away from normal that a reason names beside what fired. */
const REASON_UNUSUAL = 3;

/** The first and the last readings of a process that has ended. */
export interface Life {
  readonly first?: Measures;
  readonly before: Measures;
}

interface Read {
  readonly values: Measures;
  readonly uptimeMs: number;
}

/** One application for as long as lens watches: attaches, reads, judges, and knows it again after a restart. */
export class Keeper {
  readonly #monitor: TargetMonitor;
  readonly #redactor = new Redactor();
  #alive = false;
  #pid = 0;
  #name: string;
  #lostAt: number | undefined;
  /** Of this process: where it began, and where it is. */
  #first: Measures | undefined;
  #last: Measures = {};
  #savedAt: number;
  #looking: Promise<void> | undefined;
  #life: Promise<void> = Promise.resolve();
  #health: HealthWord = 'healthy';
  #startedAt: number | undefined;
  readonly #stability = new Stability();
  #schedule = new Schedule();
  #own = new OwnReadings();

  private readonly key: string;

  constructor(
    readonly found: Found,
    /** How many others of this command there were before. */
    readonly twin: number,
    private readonly env: KeeperEnv,
  ) {
    this.key = `${found.fingerprint}-${twin}`;
    this.#name = found.name;
    this.#savedAt = env.now();
    this.#monitor = new TargetMonitor(this.key, env.plan().monitor, recall(env.home, this.key));
  }

  get pid(): number | undefined {
    return this.#alive ? this.#pid : undefined;
  }

  get dropped(): number {
    return this.#monitor.dropped;
  }

  get open(): readonly Alert[] {
    return this.#monitor.open;
  }

  get name(): string {
    return this.#name;
  }

  get isLooking(): boolean {
    return this.#looking !== undefined;
  }

  /** Resolves once the investigation under way, if any, is done. */
  get looking(): Promise<void> {
    return this.#looking ?? Promise.resolve();
  }

  /** True while it watches, or waits at, what was found. */
  keeps(found: Found): boolean {
    if (!this.#alive) return false;
    return found.address === undefined ? this.#pid === found.pid : this.found.fingerprint === found.fingerprint;
  }

  /** The settings have changed. */
  configure(monitor: MonitorOptions): void {
    this.#tell(this.#monitor.configure(monitor, this.env.now()));
    this.#schedule = new Schedule();
  }

  /** Begins to watch this process; the one before is gone. */
  adopt(pid: number): void {
    const previousPid = this.#pid;
    this.#pid = pid;
    this.#alive = true;
    this.#own = new OwnReadings();
    if (previousPid !== 0) this.#restarted(previousPid);
    this.#life = this.#live().finally(() => {
      this.#alive = false;
    });
  }

  /** Resolves once the process is released; lens is leaving. */
  async leave(): Promise<void> {
    await this.#life;
    this.#save();
  }

  get target(): WatchedTarget {
    const { fingerprint } = this.found;
    return { name: this.#name, fingerprint, pid: this.#pid, ...(this.twin > 0 && { twin: this.twin }) };
  }

  #restarted(previousPid: number): void {
    const now = this.env.now();
    const downMs = this.#lostAt === undefined ? 0 : now - this.#lostAt;
    if (this.#lostAt !== undefined) this.#stability.away(this.#lostAt, now);
    this.env.emit({ type: 'target.restarted', target: this.target, previousPid, downMs });
  }

  async #live(): Promise<void> {
    for (let attempt = 0; !this.env.signal.aborted && (await this.#exists()); attempt++) {
      const session = await this.#reach(attempt);
      if (session) {
        attempt = 0;
        await this.#watch(session);
      }
      if (this.env.signal.aborted || !(await this.#exists())) break;
      await this.#backoff(attempt);
    }
    if (!this.env.signal.aborted) this.#ended();
  }

  #ended(): void {
    this.#lose('the process has ended');
    this.#tellEnd();
  }

  #tellEnd(): void {
    this.env.onEnded(this, { before: this.#last, ...(this.#first && { first: this.#first }) });
    this.#first = undefined;
    this.#last = {};
  }

  #lose(reason: string): void {
    this.#lostAt = this.env.now();
    this.env.emit({ type: 'target.lost', target: this.target, reason });
    this.#tell(this.#monitor.lost(this.#lostAt));
    this.#health = 'healthy';
  }

  /** The pid may by now be somebody else's; what is behind an address is only known by connecting. */
  async #exists(): Promise<boolean> {
    if (this.found.address) return true;
    const process = await readNodeProcess(this.#pid);
    return process !== undefined && foundOf(process).fingerprint === this.found.fingerprint;
  }

  async #reach(attempt: number): Promise<Session | undefined> {
    try {
      return await attach(this.found.address ?? { pid: this.#pid }, { signal: this.env.signal, ownPort: true });
    } catch (error) {
      // Told once, and not of a process that only begins or ends; it is asked again every half a minute.
      if (attempt === 1 && !this.env.signal.aborted) this.#fail('attach', error);
      return undefined;
    }
  }

  #backoff(attempt: number): Promise<void> {
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 5));
    return this.env.sleep(wait * (0.5 + this.env.random() / 2), this.env.signal).catch(() => undefined);
  }

  /** A process behind an address is known again by its start. */
  #arrived({ pid, startedAt }: Session['target']): void {
    const [before, began] = [this.#pid, this.#startedAt];
    this.#pid = pid;
    this.#startedAt = startedAt;
    if (this.#lostAt === undefined) return;
    const isOther =
      pid !== before || (began !== undefined && startedAt !== undefined && startedAt > began + RESTART_MS);
    if (isOther) {
      this.#tellEnd();
      this.#restarted(before);
    }
    this.#lostAt = undefined;
  }

  async #watch(session: Session): Promise<void> {
    this.#name = session.target.name ?? this.#name;
    if (this.found.address) this.#arrived(session.target);
    this.env.emit({ type: 'target.attached', target: this.target, nodeVersion: session.target.nodeVersion });
    const signal = AbortSignal.any([this.env.signal, session.lost]);
    try {
      // A first window of another length: many targets must not be asked in step.
      let windowMs = this.env.plan().intervalMs * (0.5 + this.env.random() / 2);
      while (!signal.aborted) {
        await this.#round(session, windowMs, signal);
        windowMs = this.env.plan().intervalMs;
      }
    } finally {
      await this.#looking;
      await session.detach();
    }
    if (this.found.address && session.lost.aborted && !this.env.signal.aborted) this.#lose('the connection has ended');
  }

  async #round(session: Session, windowMs: number, signal: AbortSignal): Promise<void> {
    const disturbed = this.#looking !== undefined;
    const read = await this.#read(session, windowMs, signal);
    if (read === undefined) return;
    const at = this.env.now();
    const { uptimeMs } = read;
    const stability = this.#stability.share(at);
    const values: Measures = { ...read.values, ...(stability !== undefined && { [STABILITY]: stability }) };
    this.#first ??= values;
    this.#last = values;
    this.env.emit({ type: 'metrics.read', target: this.target, values });
    // What lens itself does while it looks closer is no anomaly of the target.
    if (disturbed || this.#looking) return;
    const news = this.#monitor.observe(values, at, uptimeMs);
    this.#tell(news, values);
    this.#weigh(at);
    if (news.some(({ kind }) => kind === 'fired') && this.env.mayInvestigate()) this.#look(session, values);
    if (at - this.#savedAt >= SAVE_EVERY_MS) this.#save();
  }

  #weigh(at: number): void {
    const health = healthOf(this.open);
    this.#stability.add(health, at);
    if (health === this.#health) return;
    this.#health = health;
    const stability = this.#stability.share(at) ?? 1; // just added to
    this.env.emit({ type: 'target.health', target: this.target, health, stability });
  }

  async #read(session: Session, windowMs: number, signal: AbortSignal): Promise<Read | undefined> {
    const { now } = this.env;
    const sleep = (ms: number) => this.env.sleep(ms, signal);
    const context = { signal, now, sleep, exclusively: <T>(work: () => Promise<T>) => work(), mayPause: () => false };
    const seconds = windowMs / 1000;
    try {
      const resting = this.#schedule.resting(this.env.plan().every, now() + windowMs, windowMs);
      const isHostDue = windowMs >= HOST_WITHIN_MS && !resting.has('host.*');
      const around = isHostDue ? hostCollector.collect(session, {}, context).catch(() => undefined) : undefined;
      const vitals = await vitalsCollector.collect(session, { seconds, sampleEvery: seconds }, context);
      const outside = OUTSIDE.every(group => resting.has(group));
      const process = outside ? undefined : await processCollector.collect(session, {}, context).catch(() => undefined);
      const host = await around;
      const all = { ...measured(vitals.data, process?.data, host?.data), ...(await this.#readOwn(session, resting)) };
      const values = Object.fromEntries(Object.entries(all).filter(([metric]) => !isNamed(metric, resting)));
      return { values, uptimeMs: vitals.data.uptimeSeconds * 1000 };
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#fail('readings', error);
      await sleep(windowMs).catch(() => undefined);
      return undefined;
    }
  }

  async #readOwn(session: Session, resting: ReadonlySet<string>): Promise<Measures> {
    const due = Object.entries(this.env.plan().own).filter(([name]) => !isNamed(name, resting));
    if (due.length === 0) return {};
    const { values, problems } = await this.#own.read(session, Object.fromEntries(due), this.env.now());
    for (const problem of problems) this.#fail('your metric', problem);
    return values;
  }

  #tell(news: readonly AlertNews[], snapshot: Measures = this.#last): void {
    if (news.length === 0) return;
    const { target } = this;
    const told = news.map(({ kind, alert }): AlertEventBody => {
      if (kind === 'fired') return { type: 'alert.fired', target, alert, snapshot };
      return { type: kind === 'escalated' ? 'alert.escalated' : 'alert.resolved', target, alert };
    });
    tellSafely(told, pending => this.#save(pending), this.env.emit);
  }

  #reason(values: Measures): string {
    const told = this.open.map(({ title }) => title);
    const more = this.#monitor
      .unusual(values)
      .filter(({ metric }) => !this.open.some(alert => alert.metric === metric))
      .slice(0, REASON_UNUSUAL)
      .map(({ metric, said, z }) => `${metric} is ${said}, ${z.toFixed(1)} deviations from normal`);
    return [...told, ...more].join('; ');
  }

  #look(session: Session, values: Measures): void {
    const reason = this.#reason(values);
    const target = this.target;
    this.env.emit({ type: 'investigation.started', target, reason });
    this.#looking = lookWithin(session, {
      ...{ reason, redactor: this.#redactor, signal: this.env.signal, model: this.env.plan().model },
    })
      .then(({ report, path }) => {
        const culprit = report.insights[0]?.culprit;
        const { verdict, summary } = report;
        this.env.emit({
          ...{ type: 'investigation.finished', target, reason, verdict, summary, path },
          ...(culprit && { culprit }),
        });
      })
      .catch(error => this.#fail('investigation', error))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  #fail(where: string, error: unknown): void {
    const message = error instanceof LensError ? `${error.message} ${error.hint ?? ''}`.trim() : String(error);
    this.env.emit({ type: 'failure', where: `${where} of ${this.#name} (pid ${this.#pid})`, message });
  }

  #save(pending: readonly AlertEventBody[] = []): void {
    this.#savedAt = this.env.now();
    try {
      const { open } = this.#monitor;
      remember(this.env.home, this.key, this.#name, { baselines: this.#monitor.baselines(), open, pending });
    } catch (error) {
      this.#fail('what is normal', error);
    }
  }
}
