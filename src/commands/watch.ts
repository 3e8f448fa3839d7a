import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { sleep } from '../base/sleep.js';
import { readNodeProcess } from '../inspector/node-processes.js';
import { LensError } from '../model/error.js';
import type { WatchEvent } from '../model/watch-event.js';
import { watchHome } from '../stores/run-directory.js';
import { version } from '../version.js';
import { duration } from './duration.js';
import { EXIT } from './exit.js';
import { type LoadedSettings, loadSettings, settingsStamp } from './settings.js';
import { type Interruption, watchSignals } from './signals.js';
import { whole } from './target.js';
import { Census, type Found, foundOf, type Selection, sayAddress } from './watch/census.js';
import { type Face, watchFace } from './watch/face.js';
import { Keeper, type KeeperEnv, type Life, type WatchPlan } from './watch/keeper.js';
import { type WatchFlags, watchPlan } from './watch/monitor-options.js';
import { type Outlet, openOutlet } from './watch/outlet.js';
import { Restarts } from './watch/patterns.js';
import { changesOf } from './watch/settings-changes.js';

interface WatchOptions extends WatchFlags {
  readonly pid?: number;
  readonly port?: number;
  readonly host: string;
  readonly url?: string;
  readonly name?: string;
  readonly tree?: number;
  readonly all?: boolean;
  readonly for?: number;
  readonly untilAlert?: boolean;
  readonly investigate: boolean;
  readonly lines?: boolean;
  readonly json?: boolean | 'stream';
  readonly config?: string;
}

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
    .option('--port <n>', 'whatever listens behind this inspector port', whole)
    .option('--host <host>', 'the host of --port', '127.0.0.1')
    .option('--url <ws-url>', 'the inspector at this ws:// address')
    .option('--name <pattern>', 'every process whose command line contains this, now and later')
    .option('--tree <pid>', 'this process and everything below it', whole)
    .option('--all', 'every Node process that lens may attach to')
    .option('--interval <time>', 'between two readings of a process (default 30s)', duration)
    .option(
      '--learn <time>',
      'how long to learn what is normal (default 2h; known applications start at once)',
      duration,
    )
    .option(
      '--threshold <limit>',
      'alert when METRIC>LIMIT, like loop.delayP99Ms>200ms, also “… over 2m” or “… in 80% of 2m”',
      several,
      [],
    )
    .option(
      '--expression <name=js>',
      'a metric of your own, like my.queue=globalThis.queue.length; only read, never changed',
      several,
      [],
    )
    .option('--with-model', 'let investigations ask the model that the environment names')
    .option('--no-investigate', 'never look closer when an alert fires')
    .option('--for <time>', 'end after this time', duration)
    .option('--until-alert', 'end with exit code 1 when the first alert fires')
    .option('--lines', 'lines one after the other, also in a terminal')
    .option('--json [stream]', 'every event as a line of JSON on stdout')
    .option('--config <file>', 'settings to use instead of the lens.config file found upwards from here')
    .action(async (pid: number | undefined, options: WatchOptions) => {
      process.exitCode = await watch(pid === undefined ? options : { ...options, pid });
    });
}

const several = (text: string, before: readonly string[]): readonly string[] => [...before, text];

async function watch(options: WatchOptions): Promise<number> {
  // Answers are garbage as soon as they are read. A young generation that may not grow costs no time and saves memory.
  setFlagsFromString('--semi-space-growth-factor=1');
  // The old one would grow to 142 MB over fifty targets before it is looked at; so it stays below 100, for no more cpu.
  setFlagsFromString('--optimize-for-size');
  const settings = await settingsNow(options);
  const plan = watchPlan(settings.watch, options);
  const { selection, words } = await selected(options);
  const hangUp = new HangUp();
  const interruption = watchSignals(options.for, hangUp.isReload ? () => hangUp.take() : undefined);
  const home = watchHome(process.env);
  const left = new AbortController();
  let face: Face | undefined;
  const early: WatchEvent[] = [];
  const outlet = await openOutlet({
    ...{
      watch: randomBytes(6).toString('hex'),
      home,
      sinks: settings.sinks,
      show: event => (face ? face.event(event) : early.push(event)),
    },
    ...{ random: Math.random, sleep, now: Date.now, version, env: process.env },
  });
  try {
    // Only now is nothing left that could be wrong with what was asked: an error belongs on a terminal that is free.
    face = watchFace(options, { leave: () => left.abort(), interrupt: () => interruption.interrupt() });
    for (const event of early) face.event(event);
    const watcher = new Watcher(outlet, {
      options,
      settings,
      plan,
      home,
      selection,
      interruption,
      left: left.signal,
      hangUp,
    });
    outlet.emit({ type: 'watch.started', lens: version, watching: words, intervalMs: plan.intervalMs });
    return await watcher.run();
  } finally {
    face?.close();
    interruption.release();
    await outlet.close();
  }
}

const settingsNow = ({ config }: WatchOptions): Promise<LoadedSettings> =>
  loadSettings(process.cwd(), process.env, config);

/** With a terminal SIGHUP says that it is gone; a service has none, and is told to read its settings again. */
class HangUp {
  readonly isReload = !process.stdin.isTTY && !process.stdout.isTTY && !process.stderr.isTTY;
  #came = false;

  take(): void {
    this.#came = true;
  }

  /** Whether one has come since the last question. */
  came(): boolean {
    const came = this.#came;
    this.#came = false;
    return came;
  }
}

async function selected(options: WatchOptions): Promise<{ readonly selection: Selection; readonly words: string }> {
  const { pid, name, tree, all, port, host, url } = options;
  const ways = [pid, name, tree, all || undefined, port, url].filter(way => way !== undefined).length;
  if (ways !== 1)
    throw new LensError('usage', 'Say what to watch, one way: a pid, --name, --tree, --all, --port or --url.');
  const address = url !== undefined ? { url } : port !== undefined ? { port, host } : undefined;
  if (address) return { selection: { by: 'address', address }, words: sayAddress(address) };
  if (name !== undefined) return { selection: { by: 'name', pattern: name }, words: `“${name}”` };
  if (tree !== undefined) return { selection: { by: 'tree', pid: tree }, words: `pid ${tree} and below` };
  if (pid === undefined) return { selection: { by: 'all' }, words: 'every Node process' };
  const process = await readNodeProcess(pid);
  if (!process)
    throw new LensError('target-not-found', `There is no Node process ${pid}.`, '`lens ps` lists what lens can see.');
  const { fingerprint } = foundOf(process);
  return { selection: { by: 'fingerprint', fingerprint }, words: process.command };
}

interface Setup {
  readonly options: WatchOptions;
  readonly settings: LoadedSettings;
  readonly plan: WatchPlan;
  readonly home: string;
  readonly selection: Selection;
  readonly interruption: Interruption;
  /** A person has left the screen. */
  readonly left: AbortSignal;
  readonly hangUp: HangUp;
}

class Watcher {
  readonly #keepers: Keeper[] = [];
  readonly #census: Census;
  readonly #restarts = new Restarts();
  readonly #looks: number[] = [];
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #env: KeeperEnv;
  #settings: LoadedSettings;
  #stampSeen: string | undefined;
  #plan: WatchPlan;
  #statusAt = Date.now();
  #cpu = process.cpuUsage();
  #alerted = false;

  constructor(
    private readonly outlet: Outlet,
    private readonly setup: Setup,
  ) {
    const { settings, plan, options, home, interruption, left } = setup;
    this.#settings = settings;
    this.#plan = plan;
    this.#census = new Census(setup.selection);
    this.#signal = AbortSignal.any([interruption.signal, this.#ended.signal, left]);
    setMaxListeners(0, this.#signal); // one or two a target
    this.#env = {
      ...{ plan: () => this.#plan, home, sleep, now: Date.now, random: Math.random, signal: this.#signal },
      emit: event => {
        outlet.emit(event);
        if (event.type === 'alert.fired') this.#alerted = true;
      },
      mayInvestigate: () => options.investigate && this.#bookLook(),
      onEnded: (keeper, life) => this.#onEnded(keeper, life),
    };
  }

  async run(): Promise<number> {
    while (!this.#signal.aborted) {
      await this.#reloadIfChanged();
      for (const found of await this.#census.look(Date.now())) this.#claim(found);
      if (Date.now() - this.#statusAt >= STATUS_EVERY_MS) this.#status();
      if (this.#alerted && this.setup.options.untilAlert) await this.#finishAfterAlert();
      await sleep(Math.min(CENSUS_EVERY_MS, this.#plan.intervalMs), this.#signal).catch(() => undefined);
    }
    this.#status();
    await Promise.all(this.#keepers.map(keeper => keeper.leave()));
    return this.#stopped();
  }

  #stopped(): number {
    const { cause } = this.setup.interruption;
    const [reason, code] =
      cause === 'deadline'
        ? (['the time of --for is over', EXIT.done] as const)
        : cause === 'unread'
          ? ([cause, EXIT.done] as const)
          : cause !== undefined
            ? ([cause, EXIT[cause]] as const)
            : this.setup.left.aborted
              ? (['you have left', EXIT.done] as const)
              : (['an alert has fired', EXIT.found] as const);
    this.outlet.emit({ type: 'watch.stopped', reason });
    return code;
  }

  /** Settings of files that have changed, or after a SIGHUP. What can't be read changes nothing, and is told. */
  async #reloadIfChanged(): Promise<void> {
    const stamp = settingsStamp(process.cwd(), process.env, this.setup.options.config);
    const settled = stamp === this.#stampSeen; // a file may be seen while it is being written
    this.#stampSeen = stamp;
    if (!this.setup.hangUp.came() && (stamp === this.#settings.stamp || !settled)) return;
    const before = this.#settings;
    this.#settings = { ...before, stamp };
    try {
      const settings = await settingsNow(this.setup.options);
      const plan = watchPlan(settings.watch, this.setup.options);
      const { changes, later } = changesOf(before.origins, settings.origins);
      [this.#settings, this.#plan] = [settings, plan];
      for (const keeper of this.#keepers) keeper.configure(plan.monitor);
      await this.outlet.setSinks(settings.sinks);
      if (changes.length + later.length > 0) this.outlet.emit({ type: 'settings.changed', changes, later });
    } catch (error) {
      const message = error instanceof LensError ? error.message : String(error);
      this.outlet.emit({ type: 'failure', where: 'settings', message: `${message} What was set before goes on.` });
    }
  }

  /** A process that nobody keeps goes to the keeper of its application that has none now, or to a new one. */
  #claim(found: Found): void {
    if (this.#keepers.some(keeper => keeper.keeps(found))) return;
    const same = this.#keepers.filter(keeper => keeper.found.fingerprint === found.fingerprint);
    const free = same.find(keeper => keeper.pid === undefined);
    const keeper = free ?? new Keeper(found, same.length, this.#env);
    if (!free) this.#keepers.push(keeper);
    keeper.adopt(found.pid);
  }

  /** One at a time, and not more an hour than the settings allow. */
  #bookLook(): boolean {
    const now = Date.now();
    while (this.#looks[0] !== undefined && now - this.#looks[0] >= HOUR_MS) this.#looks.shift();
    if (this.#looks.length >= this.#settings.watch.investigationsPerHour) return false;
    if (this.#keepers.some(keeper => keeper.isLooking)) return false;
    this.#looks.push(now);
    return true;
  }

  #onEnded(keeper: Keeper, life: Life): void {
    const at = Date.now();
    this.#census.forget(keeper.target.pid);
    for (const { kind, title } of this.#restarts.add({ at, child: keeper.name, reason: 'ended', ...life }))
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
    const moments = this.#keepers.reduce((sum, keeper) => sum + keeper.dropped, 0);
    this.outlet.emit({
      type: 'watch.status',
      targets: this.#keepers.filter(keeper => keeper.pid !== undefined).length,
      rssBytes: process.memoryUsage.rss(),
      cpuPercent,
      dropped: { 'moments of history': moments, ...this.outlet.dropped },
      waiting: this.outlet.waiting,
    });
  }
}
