import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Restarts } from '../../src/commands/watch/patterns.js';
import { METRICS } from '../../src/model/vital-metrics.js';
import type { WatchEvent, WatchEventBody } from '../../src/model/watch-event.js';
import { ALERT_POLICY } from '../../src/monitor/alert-book.js';
import { DETECTOR_DEFAULTS } from '../../src/monitor/detector.js';
import { healthOf, Stability } from '../../src/monitor/health.js';
import { Schedule } from '../../src/monitor/intervals.js';
import { DEFAULT_RULES } from '../../src/monitor/rules.js';
import { TargetMonitor } from '../../src/monitor/target-monitor.js';
import { initialWatchState, reduceWatch } from '../../src/report/watch-state.js';
import { prometheusSink } from '../../src/sinks/prometheus.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void; // what the flag exposes

const DAY = 86_400_000;
/** Twice the default: half the work, the rings are as full. */
const STEP = 60_000;
const RESTART_EVERY = 3 * 3_600_000;
const OPTIONS = {
  ...{ rules: DEFAULT_RULES, detector: DETECTOR_DEFAULTS, policy: ALERT_POLICY },
  ...{ retentionMs: DAY, maxSamples: DAY / STEP },
};

/** Deterministic noise, 0 to 1. */
const noise = (at: number, salt: number) => Math.abs(Math.sin(at / 1e5 + salt * 12.9898) * 43_758.5453) % 1;

/** All that a watch keeps of one program, without the program. */
class Life {
  readonly #monitor: TargetMonitor;
  readonly #stability = new Stability();
  readonly #schedule = new Schedule();
  #pid: number;

  constructor(
    private readonly name: string,
    private readonly emit: (body: WatchEventBody, at: number) => void,
    private readonly restarts: Restarts,
    private readonly salt: number,
  ) {
    this.#monitor = new TargetMonitor(name, OPTIONS);
    this.#pid = salt + 1;
  }

  get target() {
    return { name: this.name, fingerprint: this.name, pid: this.#pid };
  }

  round(at: number): void {
    if (at % RESTART_EVERY === this.salt * STEP) this.#restart(at);
    this.#schedule.resting({ 'fds.*': 300_000 }, at, STEP);
    const values = Object.fromEntries(
      METRICS.map(({ name, unit }, i) => [
        name,
        (i + 1) * (1 + noise(at, this.salt + i)) * (unit === 'share' ? 0.01 : 1),
      ]),
    );
    // Some minutes of every fourth hour are bad: alerts come and go all week.
    if (Math.floor(at / 3_600_000) % 4 === 0 && (at / STEP) % 60 < 9) values['gc.share'] = 0.9;
    this.emit({ type: 'metrics.read', target: this.target, values }, at);
    for (const { kind, alert } of this.#monitor.observe(values, at)) {
      if (kind === 'fired') this.emit({ type: 'alert.fired', target: this.target, alert, snapshot: values }, at);
      if (kind === 'resolved') this.emit({ type: 'alert.resolved', target: this.target, alert }, at);
    }
    this.#stability.add(healthOf(this.#monitor.open), at);
    this.#stability.share(at);
  }

  #restart(at: number): void {
    const before = this.#pid;
    this.emit({ type: 'target.lost', target: this.target, reason: 'the process has ended' }, at);
    this.#monitor.lost(at);
    this.#pid += 1_000;
    for (const { kind, title } of this.restarts.add({ at, child: this.name, reason: 'ended' }))
      this.emit({ type: 'restart.pattern', target: this.target, kind, title }, at);
    this.emit({ type: 'target.restarted', target: this.target, previousPid: before, downMs: 500 }, at);
    this.#stability.away(at - 500, at);
  }
}

test('what a watch keeps is flat over a simulated week of readings, alerts and restarts', async () => {
  const sink = prometheusSink({ port: 0 });
  let state = initialWatchState;
  let seq = 0;
  const told = new Map<string, number>();
  const emit = (body: WatchEventBody, at: number) => {
    const event: WatchEvent = { at, watch: 'w', seq: seq++, ...body };
    state = reduceWatch(state, event);
    told.set(body.type, (told.get(body.type) ?? 0) + 1);
    void sink.deliver([event], new AbortController().signal);
  };
  const restarts = new Restarts();
  const lives = ['shop', 'depot'].map((name, i) => new Life(name, emit, restarts, i));
  const used: number[] = [];
  for (let day = 0; day < 7; day++) {
    for (let at = day * DAY; at < (day + 1) * DAY; at += STEP) for (const life of lives) life.round(at);
    await new Promise(resolve => setImmediate(resolve));
    gc();
    used.push(process.memoryUsage().heapUsed / 1_048_576 + process.memoryUsage().arrayBuffers / 1_048_576);
  }
  expect(told.get('alert.fired')).toBeGreaterThan(50);
  expect(told.get('alert.resolved')).toBeGreaterThan(50);
  expect(told.get('target.restarted')).toBe(2 * 56);
  expect(state.targets).toHaveLength(2);
  // The first days fill the rings; from then on nothing is added.
  expect((used[6] ?? 0) - (used[2] ?? 0), used.map(mb => mb.toFixed(1)).join(' ')).toBeLessThan(1);
}, 60_000);
