// How soon, and how often wrongly, lens' detector speaks, beside a plain z-score and a plain EMA band, on made series.
// Two hours to learn, 24 hours to watch, a sample every 30 s; the fault begins after 12 hours. All three fall silent for
// 15 minutes after an alarm. Run: node --import tsx bench/monitor.mjs [seeds]
import { DETECTOR_DEFAULTS, observe, startDetector } from '../src/monitor/detector.ts';

const SEEDS = Number(process.argv[2] ?? 20);
const STEP_MS = 30_000;
const HOUR = 3_600_000;
const { learningMs, cooldownMs } = DETECTOR_DEFAULTS;
const END_MS = learningMs + 24 * HOUR;
const FAULT_MS = learningMs + 12 * HOUR;
/** Later than this a detector has not seen it: somebody else has. */
const SEEN_WITHIN_MS = 4 * HOUR;

/** Mulberry32: the same series in every run. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const normal = random => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const noise = (_at, random) => 100 + 5 * normal(random);
const season = (at, random) => 100 + 30 * Math.sin((2 * Math.PI * at) / (24 * HOUR)) + 4 * normal(random);
const sawtooth = (at, random) => 80 + (40 * (at % 420_000)) / 420_000 + 2 * normal(random);
const spikes = (_at, random) => 100 + 4 * normal(random) + (random() < 1 / 120 ? 150 : 0);
const constant = () => 50;
const heavyTail = (_at, random) => 20 * Math.exp(0.5 * normal(random));
const missing = (_at, random) => (random() < 0.3 ? undefined : 100 + 5 * normal(random));

const SERIES = {
  noise: { of: noise },
  'daily season': { of: season },
  'sawtooth (collections)': { of: sawtooth },
  'lone spikes': { of: spikes },
  'heavy tail': { of: heavyTail },
  constant: { of: constant },
  'a third missing': { of: missing },
  'noise, step +40 %': { of: noise, fault: value => value * 1.4 },
  'season, step +60 %': { of: season, fault: value => value * 1.6 },
  'sawtooth, step +60 %': { of: sawtooth, fault: value => value * 1.6 },
  'spikes, step +40 %': { of: spikes, fault: value => value * 1.4 },
  'constant, jump +10 %': { of: constant, fault: value => value * 1.1 },
  'a third missing, step +40 %': { of: missing, fault: value => value * 1.4 },
  'noise, doubles in an hour': { of: noise, fault: (value, since) => value * (1 + Math.min(1, since / HOUR)) },
};

/** Each: fed the samples in order, true at an alarm. */
const DETECTORS = {
  lens() {
    let state = startDetector(0);
    return (value, at) => {
      const seen = observe(state, value, at);
      state = seen.state;
      return seen.anomaly !== undefined;
    };
  },
  'z-score': () => {
    const learnt = [];
    let mean, deviation;
    return silenced((value, at) => {
      if (at < learningMs) return learnt.push(value) < 0;
      mean ??= learnt.reduce((a, b) => a + b, 0) / learnt.length;
      deviation ??= Math.sqrt(learnt.reduce((sum, v) => sum + (v - mean) ** 2, 0) / learnt.length);
      return deviation > 0 && Math.abs(value - mean) > 3 * deviation; // no deviation, no score
    });
  },
  'EMA band': () => {
    let mean;
    let variance = 0;
    return silenced((value, at) => {
      mean ??= value;
      const outside = at >= learningMs && variance > 0 && Math.abs(value - mean) > 3 * Math.sqrt(variance);
      const difference = value - mean;
      mean += 0.1 * difference;
      variance = 0.9 * (variance + 0.1 * difference ** 2);
      return outside;
    });
  },
};

function silenced(judge) {
  let until = Number.NEGATIVE_INFINITY;
  return (value, at) => {
    if (!judge(value, at) || at < until) return false;
    until = at + cooldownMs;
    return true;
  };
}

function watch({ of, fault }, detector, seed) {
  const random = randomOf(seed);
  const alarms = [];
  for (let at = 0; at < END_MS; at += STEP_MS) {
    const value = of(at, random);
    if (value === undefined) continue;
    const now = fault && at >= FAULT_MS ? fault(value, at - FAULT_MS) : value;
    if (detector(now, at)) alarms.push(at);
  }
  return alarms;
}

function judged(series, make) {
  const runs = Array.from({ length: SEEDS }, (_, i) => watch(series, make(), i + 1));
  const wrong = runs.flatMap(alarms => alarms.filter(at => !series.fault || at < FAULT_MS)).length / SEEDS;
  const delays = runs
    .map(alarms => alarms.find(at => at >= FAULT_MS && at < FAULT_MS + SEEN_WITHIN_MS) - FAULT_MS)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return { wrong, delay: delays[Math.floor(delays.length / 2)], seen: delays.length / SEEDS };
}

const names = Object.keys(DETECTORS);
const row = cells => console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 30 : 26)).join(''));
row(['false alarms a day', ...names]);
const totals = Object.fromEntries(names.map(name => [name, 0]));
for (const [title, series] of Object.entries(SERIES).filter(([, { fault }]) => !fault)) {
  const cells = names.map(name => judged(series, DETECTORS[name]).wrong);
  names.forEach((name, i) => {
    totals[name] += cells[i];
  });
  row([title, ...cells.map(wrong => wrong.toFixed(2))]);
}
row(['all', ...names.map(name => totals[name].toFixed(2))]);
console.log();
row(['seen after (false before)', ...names]);
for (const [title, series] of Object.entries(SERIES).filter(([, { fault }]) => fault)) {
  const cells = names.map(name => {
    const { wrong, delay, seen } = judged(series, DETECTORS[name]);
    return `${seen === 0 ? 'never' : `${(delay / 60_000).toFixed(1)} min${seen < 1 ? `, ${Math.round(seen * 100)} %` : ''}`} (${wrong.toFixed(2)})`;
  });
  row([title, ...cells]);
}
