import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Command } from 'commander';
import { sleep } from '../base/sleep.js';
import { readNodeProcess } from '../inspector/node-processes.js';
import { LensError } from '../model/error.js';
import type { Measures } from '../model/watch-event.js';
import { runsHome } from '../stores/run-directory.js';
import { version } from '../version.js';
import { duration, durationMs } from './duration.js';
import { EXIT } from './exit.js';
import { type LoadedSettings, loadSettings } from './settings.js';
import { type Interruption, watchSignals } from './signals.js';
import { whole } from './target.js';
import { Census, type Found, foundOf, type Selection } from './watch/census.js';
import { Keeper, type KeeperEnv } from './watch/keeper.js';
import { monitorOptions } from './watch/monitor-options.js';
import { type Outlet, openOutlet } from './watch/outlet.js';
import { Restarts } from './watch/patterns.js';

interface WatchOptions {
  readonly pid?: number;
  readonly name?: string;
  readonly tree?: number;
  readonly all?: boolean;
  readonly interval?: number;
  readonly for?: number;
  readonly untilAlert?: boolean;
  readonly learn?: number;
  readonly threshold: readonly string[];
  readonly investigate: boolean;
  readonly json?: boolean | 'stream';
  readonly config?: string;
}

/** A timer's longest delay: a watch without --for. */
const FOR_EVER_MS = 2 ** 31 - 1;
/** New and restarted processes are looked for this often: /proc alone, nothing is asked of them. */
const CENSUS_EVERY_MS = 3_000;
const STATUS_EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Watches processes for as long as it runs: learns what is normal, tells what is not, looks closer by itself. */
export function watchCommand(): Command {
  return new Command('watch')
    .description('watch processes: baselines, alerts, restarts, investigations when something fires')
    .argument('[pid]', 'the process to watch, across its restarts', whole)
    .option('--pid <n>', 'the same', whole)
    .option('--name <pattern>', 'every process whose command line contains this, now and later')
    .option('--tree <pid>', 'this process and everything below it', whole)
    .option('--all', 'every Node process that lens may attach to')
    .option('--interval <time>', 'between two readings of a process (default 30s)', duration)
    .option(
      '--learn <time>',
      'how long to learn what is normal (default 2h; known applications start at once)',
      duration,
    )
    .option('--threshold <limit>', 'alert when METRIC>LIMIT, like loop.delayP99Ms>200ms', several, [])
    .option('--no-investigate', 'never look closer when an alert fires')
    .option('--for <time>', 'end after this time', duration)
    .option('--until-alert', 'end with exit code 1 when the first alert fires')
    .option('--json [stream]', 'every event as a line of JSON on stdout')
    .option('--config <file>', 'settings to use instead of the lens.config file found upwards from here')
    .action(async (pid: number | undefined, options: WatchOptions) => {
      process.exitCode = await watch(pid === undefined ? options : { ...options, pid });
    });
}

const several = (text: string, before: readonly string[]): readonly string[] => [...before, text];

async function watch(options: WatchOptions): Promise<number> {
  const settings = await loadSettings(process.cwd(), process.env, options.config);
  const { selection, words } = await selected(options);
  const intervalMs = options.interval ?? durationMs(settings.watch.interval) ?? Number.NaN;
  const interruption = watchSignals(options.for ?? FOR_EVER_MS);
  const home = join(runsHome(process.env), '..', 'watch');
  const outlet = await openOutlet({
    ...{ watch: randomBytes(6).toString('hex'), home, sinks: settings.sinks, json: options.json !== undefined },
    ...{ random: Math.random, sleep, now: Date.now, version, env: process.env },
  });
  const watcher = new Watcher(outlet, { options, settings, intervalMs, home, selection, interruption });
  try {
    outlet.emit({ type: 'watch.started', lens: version, watching: words, intervalMs });
    return await watcher.run();
  } finally {
    interruption.release();
    await outlet.close();
  }
}

async function selected(options: WatchOptions): Promise<{ readonly selection: Selection; readonly words: string }> {
  const { pid, name, tree, all } = options;
  const ways = [pid, name, tree, all || undefined].filter(way => way !== undefined).length;
  if (ways !== 1) throw new LensError('usage', 'Say what to watch, one way: a pid, --name, --tree or --all.');
  if (name !== undefined) return { selection: { by: 'name', pattern: name }, words: `“${name}”` };
  if (tree !== undefined) return { selection: { by: 'tree', pid: tree }, words: `pid ${tree} and below` };
  if (pid === undefined) return { selection: { by: 'all' }, words: 'every Node process' };
  const process = await readNodeProcess(pid);
  if (!process)
    throw new LensError('target-not-found', `There is no Node process ${pid}.`, '`lens ps` lists what lens can see.');
  const { fingerprint } = foundOf(process);
  return { selection: { by: 'fingerprint', fingerprint }, words: process.command };
}

interface Plan {
  readonly options: WatchOptions;
  readonly settings: LoadedSettings;
  readonly intervalMs: number;
  readonly home: string;
  readonly selection: Selection;
  readonly interruption: Interruption;
}

class Watcher {
  readonly #keepers: Keeper[] = [];
  readonly #census: Census;
  readonly #restarts = new Restarts();
  readonly #looks: number[] = [];
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #env: KeeperEnv;
  #statusAt = Date.now();
  #cpu = process.cpuUsage();
  #alerted = false;

  constructor(
    private readonly outlet: Outlet,
    private readonly plan: Plan,
  ) {
    const { settings, options, intervalMs, home, interruption } = plan;
    this.#census = new Census(plan.selection);
    this.#signal = AbortSignal.any([interruption.signal, this.#ended.signal]);
    this.#env = {
      ...{ intervalMs, home, sleep, now: Date.now, random: Math.random, signal: this.#signal },
      monitor: monitorOptions(settings.watch, options, intervalMs),
      emit: event => {
        outlet.emit(event);
        if (event.type === 'alert.fired') this.#alerted = true;
      },
      mayInvestigate: () => options.investigate && this.#bookLook(),
      onEnded: (keeper, before) => this.#onEnded(keeper, before),
    };
  }

  async run(): Promise<number> {
    while (!this.#signal.aborted) {
      for (const found of await this.#census.look(Date.now())) this.#claim(found);
      if (Date.now() - this.#statusAt >= STATUS_EVERY_MS) this.#status();
      if (this.#alerted && this.plan.options.untilAlert) await this.#finishAfterAlert();
      await sleep(Math.min(CENSUS_EVERY_MS, this.plan.intervalMs), this.#signal).catch(() => undefined);
    }
    await Promise.all(this.#keepers.map(keeper => keeper.leave()));
    this.#status();
    const cause = this.plan.interruption.cause;
    const reason = cause ?? 'an alert has fired';
    this.outlet.emit({ type: 'watch.stopped', reason: reason === 'deadline' ? 'the time of --for is over' : reason });
    if (cause === undefined) return EXIT.found;
    return cause === 'deadline' || cause === 'unread' ? EXIT.done : EXIT[cause];
  }

  /** A process that nobody keeps goes to the keeper of its application that has none now, or to a new one. */
  #claim(found: Found): void {
    if (this.#keepers.some(keeper => keeper.pid === found.pid)) return;
    const same = this.#keepers.filter(keeper => keeper.found.fingerprint === found.fingerprint);
    const free = same.find(keeper => keeper.pid === undefined);
    const keeper = free ?? new Keeper(`${found.fingerprint}-${same.length}`, found, this.#env);
    if (!free) this.#keepers.push(keeper);
    keeper.adopt(found.pid);
  }

  /** One at a time, and not more an hour than the settings allow. */
  #bookLook(): boolean {
    const now = Date.now();
    while (this.#looks[0] !== undefined && now - this.#looks[0] >= HOUR_MS) this.#looks.shift();
    if (this.#looks.length >= this.plan.settings.watch.investigationsPerHour) return false;
    if (this.#keepers.some(keeper => keeper.isLooking)) return false;
    this.#looks.push(now);
    return true;
  }

  #onEnded(keeper: Keeper, before: Measures): void {
    const at = Date.now();
    this.#census.forget(keeper.target.pid);
    for (const { kind, title } of this.#restarts.add({ at, child: keeper.name, reason: 'ended', before }))
      this.outlet.emit({ type: 'restart.pattern', target: keeper.target, kind, title });
  }

  async #finishAfterAlert(): Promise<void> {
    await Promise.all(this.#keepers.map(keeper => keeper.looking));
    this.#ended.abort(new Error('an alert has fired'));
  }

  #status(): void {
    const now = Date.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    const cpuPercent = (user + system) / 10 / Math.max(1, now - this.#statusAt);
    this.#statusAt = now;
    this.#cpu = process.cpuUsage();
    const samples = this.#keepers.reduce((sum, keeper) => sum + keeper.dropped, 0);
    this.outlet.emit({
      type: 'watch.status',
      targets: this.#keepers.filter(keeper => keeper.pid !== undefined).length,
      rssBytes: process.memoryUsage.rss(),
      cpuPercent,
      dropped: { 'samples of history': samples, ...this.outlet.dropped },
      waiting: this.outlet.waiting,
    });
  }
}
