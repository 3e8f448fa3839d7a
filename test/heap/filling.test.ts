import { expect, test } from 'vitest';
import { differenceOf } from './grown.js';

const PLAIN = `exports.add = (from, to) => { for (let i = from; i < to; i++) keep(i); };`;

test('an LRU that was made for so many entries may still be filling', async () => {
  const { grown } = await differenceOf({
    'lru.cjs': `exports.Lru = class Lru {
  constructor(room) { this.index = new Map(); this.values = new Array(room).fill(undefined); this.next = 0; }
  set(key, value) {
    this.index.set(key, this.next);
    this.values[this.next] = value;
    this.next = (this.next + 1) % this.values.length;
  }
};`,
    'main.cjs': `const { Lru } = require('./lru.cjs'); const cache = new Lru(20_000);
const grow = (from, to) => { for (let i = from; i < to; i++) cache.set('k' + i, { i, tags: [i, 'tag ' + i, [i]] }); };`,
  });
  expect(grown[0]?.slots).toEqual({ room: 20_000, used: 4500 });
});

test('a list that is pushed to has room only by the way, and is no such thing', async () => {
  const { grown } = await differenceOf({
    'list.cjs': `const list = []; const keep = i => list.push({ i, tags: ['tag ' + i] }); ${PLAIN}`,
    'main.cjs': `const { add: grow } = require('./list.cjs');`,
  });
  expect(grown[0]?.children[0]?.count).toBeGreaterThan(2000);
  expect(grown[0]?.slots).toBeUndefined();
});

const MEMO = (key: string) => `const memo = {};
let seed = 7;
const random = most => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
const keep = i => { const key = ${key}; memo[key] ??= { key, sights: [i, [i], 'sight ' + i] }; };
${PLAIN}`;

test('keys at random of a few thousand have an end', async () => {
  const { grown } = await differenceOf({
    'memo.cjs': MEMO("['de', 'fr'][i % 2] + '/' + (random(300_000_000) >> 5) % 6000"),
    'main.cjs': `const { add: grow } = require('./memo.cjs');`,
  });
  expect(grown[0]?.keys?.possible).toBeGreaterThan(11_000);
  expect(grown[0]?.keys?.possible).toBeLessThanOrEqual(12_000);
});

test.each([
  ['numbers that count up', "'n' + i"],
  ['numbers that count down', "'n' + (90_000 - i)"],
  ['ids at random', "'id ' + random(2_000_000_000)"],
])('keys of %s have none', async (_, key) => {
  const { grown } = await differenceOf({
    'memo.cjs': MEMO(key),
    'main.cjs': `const { add: grow } = require('./memo.cjs');`,
  });
  expect(grown[0]?.newChildren).toBeGreaterThan(2000);
  expect(grown[0]?.keys).toBeUndefined();
});

const LOADING = (body: string) => `const words = new Map();
const pause = () => new Promise(resolve => setTimeout(resolve, 1));
const entry = i => ({ i, meanings: ['first ' + i, 'second ' + i] });
exports.load = async () => {
  ${body}
};
exports.count = () => words.size;`;
const LOADER = `const { load, count } = require('./words.cjs'); load();
const grow = async (from, to) => { const before = count(); while (count() < before + 900) await new Promise(resolve => setTimeout(resolve, 5)); };`;

test('what one call loads in a loop that comes to an end may still be loading', async () => {
  const { grown } = await differenceOf({
    'words.cjs': LOADING(`for (let i = 0; i < 100_000; i += 20) {
    for (let j = i; j < i + 20; j++) words.set('w' + j, entry(j));
    await pause();
  }`),
    'main.cjs': LOADER,
  });
  expect(grown[0]?.filling?.file).toBe('words.cjs');
});

test('a loop without an end loads nothing', async () => {
  const { grown } = await differenceOf({
    'words.cjs': LOADING(`for (let i = 0; ; i += 20) {
    for (let j = 0; j < 20; j++) words.set('w' + i + '/' + j, entry(i + j));
    await pause();
  }`),
    'main.cjs': LOADER,
  });
  expect(grown[0]?.newChildren).toBeGreaterThan(1000);
  expect(grown[0]?.filling).toBeUndefined();
});
