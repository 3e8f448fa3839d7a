import { describe, expect, test } from 'vitest';
import { type Bounds, boundsOf, lifetimeNamed } from '../../src/heap/growth/bounds.js';
import { curveOf } from '../../src/heap/growth/curve.js';
import { holderOf, isOwnListeners, listenedEvent } from '../../src/heap/growth/holder.js';
import { sortGrowth, textKeepers } from '../../src/heap/growth/suspects.js';
import { boundedBy, fillingCache } from '../../src/heap/growth/verdict.js';
import type { CollectionGrowth, GrowingContainer, PathStep } from '../../src/model/evidence/collection-growth.js';

const times = Array.from({ length: 21 }, (_, second) => second);
const sizes = (at: (second: number) => number) => times.map(second => Math.round(at(second)));

test.each([
  ['growing', (s: number) => 100 + 50 * s],
  ['slowing', (s: number) => 1000 * (1 - Math.exp(-s / 12))],
  ['plateau', (s: number) => Math.min(500, 100 * s)],
  ['drops', (s: number) => 100 + (s % 7) * 100],
  ['steps', (s: number) => (s < 10 ? 10 : 5000)],
])('a curve that is %s is called so', (shape, at) => {
  expect(curveOf(times, sizes(at)).shape).toBe(shape);
});

test('a slowing curve says where it comes to rest', () => {
  const { levelsOffAt } = curveOf(
    times,
    sizes(s => 1000 * (1 - Math.exp(-s / 12))),
  );
  expect(levelsOffAt).toBeGreaterThan(900);
  expect(levelsOffAt).toBeLessThan(1100);
});

test('a bounded set of keys that come at random runs out little by little; random arrivals of a leak do not', () => {
  const long = Array.from({ length: 41 }, (_, second) => second);
  const coupons = long.map(s => Math.round(8000 * (1 - Math.exp(-(s + 10) / 89))));
  expect(curveOf(long, coupons).shape).toBe('slowing');
  const noisy = long.map(s => 30 * s + Math.round(20 * Math.sin(s * 1.7)));
  expect(curveOf(long, noisy).shape).toBe('growing');
});

test('two readings have no shape', () => {
  expect(curveOf([0, 20], [10, 500]).shape).toBe('unknown');
});

const script = { scriptId: '7', url: 'file:///srv/app/store.js', line: 10, column: 2 };
const variable = (name: string, url = script.url): PathStep => ({
  kind: 'variable',
  name,
  scope: 'module',
  seenBy: { ...script, url },
  function: 'handle',
});
const property = (name: string): PathStep => ({ kind: 'property', name });

function row(path: readonly PathStep[], more: Partial<GrowingContainer> = {}): GrowingContainer {
  return {
    path: [{ kind: 'root', name: 'server' }, ...path],
    kind: 'Map',
    className: 'Map',
    size: 1100,
    limits: [],
    sizes: sizes(s => 100 + 50 * s),
    perSecond: 50,
    entry: { type: 'object', text: 'Object {id}', bytes: 500, externalBytes: 0 },
    bytesPerSecond: 25_000,
    ...more,
  };
}

function reading(growing: readonly GrowingContainer[], more: Partial<CollectionGrowth> = {}): CollectionGrowth {
  return {
    seconds: 20,
    times,
    growing,
    grewCount: growing.length,
    biggest: [],
    memory: [],
    modules: { commonjs: 1, esm: 0, packages: 0 },
    walks: [],
    unlisted: [],
    stoppedEarly: false,
    uptimeSeconds: 60,
    ...more,
  };
}

test('the holder is named by its nearest variable, and by the package it lies in', () => {
  const path = [
    variable('app'),
    property('cache'),
    variable('store', 'file:///srv/node_modules/kv/index.js'),
    property('items'),
  ];
  const holder = holderOf({ path });
  expect(holder).toMatchObject({ text: 'store.items', package: 'kv', below: ['items'], through: { name: 'app' } });
});

test("what an instance of the application's own class owns is not the framework's that keeps the instance", () => {
  const path = [variable('instance', 'file:///srv/node_modules/framework/container.js'), property('trail')];
  const ownerCode = { scriptId: '7', url: 'file:///srv/src/audit.js', line: 4, column: 0 };
  expect(holderOf({ path, ownerCode }).package).toBeUndefined();
  expect(holderOf({ path }).package).toBe('framework');
});

test('of two readings of what is replaced the first speaks as well: what began now may be what is in flight', () => {
  const leaking = (first: number, last: number) => {
    const ends = times.map((_, i) => (i === 0 ? first : i === times.length - 1 ? last : null));
    return sortGrowth(reading([row([variable('sockets')], { sizes: ends, perSecond: (last - first) / 20 })])).leaking
      .length;
  };
  expect([leaking(0, 15), leaking(400, 1400), leaking(5000, 6000)]).toEqual([0, 1, 1]);
});

test('listeners of an emitter and of an abort signal are told from other arrays', () => {
  expect(listenedEvent([variable('bus'), property('_events'), property('tick')])).toBe('tick');
  expect(listenedEvent([variable('c'), property('[Symbol(kEvents)]'), { kind: 'map-value', key: 'abort' }])).toBe(
    'abort',
  );
  expect(listenedEvent([variable('rows')])).toBeUndefined();
});

test('a list of functions that is called one of listeners is one, an array of jobs is not', () => {
  const functions = { entry: { ...row([]).entry, type: 'function' } } as const;
  expect(isOwnListeners(row([variable('store'), property('currentListeners')], functions))).toBe(true);
  expect(isOwnListeners(row([variable('subscribers'), { kind: 'map-value', key: 'price' }], functions))).toBe(true);
  expect(isOwnListeners(row([variable('undo')], functions))).toBe(false);
  expect(isOwnListeners(row([variable('handlers')]))).toBe(false);
});

test('containers that gain the same entries are one suspect, led by the one that explains most', () => {
  const { leaking } = sortGrowth(reading([row([variable('a')]), row([variable('b')], { bytesPerSecond: 40_000 })]));
  expect(leaking.map(one => [one.holder.text, one.inStep.length])).toEqual([['b', 1]]);
});

test('a few kilobytes a second are noise, a few listeners a second are not', () => {
  const small = row([variable('a')], { bytesPerSecond: 3000 });
  expect(sortGrowth(reading([small])).leaking).toEqual([]);
  const listeners = row([variable('bus'), property('_events'), property('tick')], { bytesPerSecond: 3000 });
  expect(sortGrowth(reading([listeners])).leaking[0]?.fault).toBe('memory.leak.listener');
});

test('timers that fire once end by themselves', () => {
  const once = row([], { kind: 'timers', timer: { ms: 30_000, repeats: false } });
  expect(sortGrowth(reading([once])).leaking).toEqual([]);
  const always = row([], { kind: 'timers', timer: { ms: 30_000, repeats: true } });
  expect(sortGrowth(reading([always])).leaking[0]?.fault).toBe('memory.leak.timer');
});

test.each([
  [
    'a size check with a limit above',
    'const MAX = 5_000; recent.push(e); if (recent.length > MAX) recent.shift();',
    true,
  ],
  [
    'a size check that is passed long ago',
    'const MAX = 100; recent.push(e); if (recent.length > MAX) recent.shift();',
    false,
  ],
  ['no check at all', 'recent.push(e);', false],
  ['a sweep by timer', 'setInterval(() => { recent.splice(0, 5); }, 1000); recent.push(e);', true],
  ['a removal without a limit', 'recent.push(e); on("close", () => recent.pop());', false],
  ['a loop over it', 'for (let i = 0; i < recent.length; i++) use(recent[i]); recent.push(e);', false],
])('source with %s', (_, text, bounded) => {
  const growth = reading([row([variable('recent')], { kind: 'Array' })]);
  const [suspect] = sortGrowth(growth).leaking;
  expect(suspect && boundedBy(suspect, boundsOf(text, 'recent'), growth) !== undefined).toBe(bounded);
});

test('a check of each of many lists bounds them together', () => {
  const growth = reading([row([variable('recent')], { kind: 'Array' })]);
  const [suspect] = sortGrowth(growth).leaking;
  const bounded = (each?: number) => {
    const sizeCheck = { line0: 1, limit: 10, ...(each !== undefined && { each }) };
    return suspect && boundedBy(suspect, { sizeCheck }, growth) !== undefined;
  };
  expect(bounded()).toBe(false);
  expect(bounded(suspect?.row.size)).toBe(true);
});

test('a field named max bounds what it exceeds', () => {
  const bounded = (value: number) => {
    const growth = reading([row([variable('lru')], { limits: [{ name: 'max', value }] })]);
    const [suspect] = sortGrowth(growth).leaking;
    return suspect && boundedBy(suspect, {}, growth) !== undefined;
  };
  expect(bounded(50_000)).toBe(true);
  expect(bounded(0)).toBe(false);
});

test('entries that come with a timer leave with it', () => {
  const timers = row([], { kind: 'timers', timer: { ms: 60_000, repeats: false } });
  const growth = reading([row([variable('seen')]), timers]);
  const [suspect] = sortGrowth(growth).leaking;
  expect(suspect && boundedBy(suspect, {}, growth)).toMatchObject({ at: 3000 });
});

test('entries that come with connections leave with them', () => {
  const sample = (at: number, sockets: number) =>
    ({ ...reading([]).memory[0], at, sockets }) as CollectionGrowth['memory'][number]; // the reading's other numbers don't matter here
  const bounded = (opened: number) => {
    const growth = { ...reading([row([variable('clients')])]), memory: [sample(0, 10), sample(20, 10 + opened)] };
    const [suspect] = sortGrowth(growth).leaking;
    return suspect && boundedBy(suspect, {}, growth) !== undefined;
  };
  const gained = sortGrowth(reading([row([variable('clients')])])).leaking[0]?.gained ?? 0;
  expect(bounded(gained)).toBe(true);
  expect(bounded(0)).toBe(false);
});

describe('a batch', () => {
  type Emptied = NonNullable<Bounds['emptied']>;
  const rests = (emptied: Partial<Emptied>, uptimeSeconds: number, also: Bounds = {}) => {
    const growth = { ...reading([row([variable('batch')])]), uptimeSeconds };
    const [suspect] = sortGrowth(growth).leaking;
    const bounds = { ...also, emptied: { line0: 1, byTimer: false, byFeeder: false, ...emptied } };
    return suspect && boundedBy(suspect, bounds, growth) !== undefined;
  };

  test('rests where a timer empties it, or it holds too little never to have been emptied', () => {
    expect(rests({ byTimer: true }, 30)).toBe(true);
    expect(rests({}, 30)).toBe(false);
    expect(rests({}, 360_000)).toBe(true);
  });

  test('does not rest where its timer ran again and again without emptying it', () => {
    expect(rests({ byTimer: true, everyMs: 60_000 }, 30)).toBe(true);
    expect(rests({ byTimer: true, everyMs: 500 }, 30)).toBe(false);
  });

  test('rests where whoever fills it empties it, unless by a size that it has passed', () => {
    expect(rests({ byFeeder: true }, 30)).toBe(true);
    expect(rests({ byFeeder: true }, 30, { sizeCheck: { line0: 2, limit: 5 } })).toBe(false);
  });
});

const firstSuspect = (growth: CollectionGrowth) => sortGrowth(growth).leaking[0];

test('a sweep is believed until entries are older than it lets them be', () => {
  const rests = (overAfterMs: number) => {
    const growth = { ...reading([row([variable('sessions')])]), uptimeSeconds: 60 };
    const [suspect] = sortGrowth(growth).leaking;
    return suspect && boundedBy(suspect, { expiry: { line0: 1, overAfterMs } }, growth) !== undefined;
  };
  expect(rests(60_000)).toBe(true);
  expect(rests(500)).toBe(false);
});

test.each([
  ['const TTL = 8_000;', 8000],
  ['const SESSION_TTL_MS = 20 * 60 * 1000;', 1_200_000],
  ['const maxAge = 30;', undefined],
  ['const TTL = 5000; const OTHER_TTL = 9000;', undefined],
  ['entry.expires = now + 9;', undefined],
])('the lifetime in `%s`', (text, expected) => {
  expect(lifetimeNamed(text)).toBe(expected);
});

test('a check against a field that the size has passed removes nothing', () => {
  const rests = (max: number) => {
    const growth = reading([row([variable('cache')], { limits: [{ name: 'max', value: max }] })]);
    const suspect = firstSuspect(growth);
    const bounds = { sizeCheck: { line0: 1 }, removal: { line0: 2 } };
    return suspect && boundedBy(suspect, bounds, growth) !== undefined;
  };
  expect(rests(5)).toBe(false);
  expect(rests(1e6)).toBe(true);
});

test('a check of another collection is believed while both grow as one', () => {
  const rests = (companionGrows: boolean) => {
    const growth = reading([row([variable('byTime')]), ...(companionGrows ? [row([variable('order')])] : [])]);
    const suspect = sortGrowth(growth).leaking.find(one =>
      one.row.path.some(step => 'name' in step && step.name === 'byTime'),
    );
    const bounds = { sizeCheck: { line0: 1, companion: 'order' }, removal: { line0: 1 } };
    return suspect && boundedBy(suspect, bounds, growth) !== undefined;
  };
  expect(rests(true)).toBe(true);
  expect(rests(false)).toBe(false);
});

test('what gets an entry for each item of a list rests at its size', () => {
  const rests = (size: number) => {
    const list = { ...row([variable('ids')]), size, bytes: 1 };
    const growth = { ...reading([row([variable('byId')])]), biggest: [list] };
    const [suspect] = sortGrowth(growth).leaking;
    return suspect && boundedBy(suspect, { keysFrom: 'ids' }, growth)?.at;
  };
  expect(rests(1e6)).toBe(1e6);
  expect(rests(3)).toBeUndefined();
});

test.each([
  ['a bound in a #private field', [{ name: '#max', value: 5000 }], true],
  ['a resolution of times, which bounds nothing', [{ name: 'ttlResolution', value: 1 }], false],
  ['a time within which this many can come', [{ name: 'stdTTL', value: 600 }], true],
  ['a time after which most should have gone', [{ name: 'ttlMs', value: 2000 }], false],
  ['such a time without its unit, which only milliseconds are written as', [{ name: 'ttl', value: 2000 }], false],
  ['hours in seconds', [{ name: 'ttl', value: 7200 }], true],
])('of the fields of a holder, %s is believed or not', (_, limits, bounded) => {
  const growth = reading([row([variable('cache')], { limits })]);
  const suspect = firstSuspect(growth);
  expect(suspect && boundedBy(suspect, {}, growth) !== undefined).toBe(bounded);
});

test('a queue that a timer takes from every second and that grows on is not kept up with', () => {
  const growth = reading([row([variable('outbox')])]);
  const suspect = firstSuspect(growth);
  const bounded = (drainsEveryMs: number) =>
    suspect && boundedBy(suspect, { expiry: { line0: 3, drainsEveryMs } }, growth) !== undefined;
  expect(bounded(1000)).toBe(false);
  expect(bounded(60_000)).toBe(true);
});

test('a cache that fills explains growth whose values its keys do not show, within reason', () => {
  const cache = row([variable('cache'), property('#keyMap')], { limits: [{ name: '#max', value: 5000 }] });
  expect(fillingCache(reading([cache]), 200_000)).toBe(cache);
  expect(fillingCache(reading([cache]), 20_000_000)).toBeUndefined();
  expect(fillingCache(reading([row([variable('map')])]), 200_000)).toBeUndefined();
});

test('a small collection that gains texts steadily may keep the texts they were cut from', () => {
  const texts = { type: 'string', text: 'string', bytes: 40, externalBytes: 0 } as const;
  const seen = row([variable('seen')], { kind: 'Set', entry: texts, bytesPerSecond: 800 });
  const resting = row([variable('recent')], { kind: 'Set', entry: texts, sizes: sizes(s => (s % 7) * 100) });
  const others = row([variable('rows')]);
  expect(textKeepers(reading([others, resting, seen])).map(one => one.holder.text)).toEqual(['seen']);
});

test("the store that a timer of a package carries on is not the package's", () => {
  const path: PathStep[] = [
    { kind: 'root', name: 'module /srv/app/main.js' },
    variable('fastTimer', 'file:///srv/app/node_modules/undici/timers.js'),
    property('[Symbol(kResourceStore)]'),
    property('parent'),
  ];
  expect(holderOf({ path })).toEqual({ below: ['parent'], text: 'AsyncLocalStorage store.parent' });
});

test('what a stream has not passed on is no collection that leaks', () => {
  const [suspect] = sortGrowth(
    reading([row([variable('trail'), property('_writableState'), property('[Symbol(kBufferedValue)]')])]),
  ).leaking;
  expect(suspect?.fault).toBe('backpressure');
});

test("signals that time out leave the list by themselves, composed ones don't", () => {
  const path: PathStep[] = [{ kind: 'root', name: "Node's list of waiting AbortSignals" }];
  const signals = { ...row([], { kind: 'Set', className: 'Set' }), path };
  const timers = row([], { kind: 'timers', timer: { ms: 30_000, repeats: false } });
  const rest = (growing: readonly GrowingContainer[]) => {
    const growth = reading(growing);
    const suspect = sortGrowth(growth).leaking.find(one => one.row.path === path);
    return suspect && { fault: suspect.fault, rests: boundedBy(suspect, {}, growth) !== undefined };
  };
  expect(rest([signals])).toEqual({ fault: 'memory.leak.listener', rests: false });
  expect(rest([signals, timers])).toEqual({ fault: 'memory.leak.listener', rests: true });
});
