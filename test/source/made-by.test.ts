import { expect, test } from 'vitest';
import { limitGivenTo, packageThatMade } from '../../src/source/made-by.js';

test.each([
  ["import { createStore } from 'effector';\nconst rates = createStore([]).on(refreshed, next);", 'effector'],
  ["const { createStore } = require('effector');\nexports.rates = createStore([]);", 'effector'],
  ["const effector_1 = require('effector');\nconst rates = (0, effector_1.createStore)([]);", 'effector'],
  ["import * as core from '@preact/signals-core/min';\nlet rates; rates = core.signal(1);", '@preact/signals-core'],
  ["import Rates from 'rates';\nclass Desk { constructor() { this.rates = new Rates(); } }", 'rates'],
  ["import Rates from 'rates';\nclass Desk { rates = new Rates(); }", 'rates'],
])('a package made it: %s', (text, name) => {
  expect(packageThatMade(text, 'rates')).toBe(name);
});

test.each([
  'const rates = new Map();',
  "import { createStore } from './store.js';\nconst rates = createStore([]);",
  "const http = require('http');\nconst rates = http.createServer();",
  "import rates from 'rates';",
  "import effector from 'effector';\nconst rates = effector;",
])('no package did: %s', text => {
  expect(packageThatMade(text, 'rates')).toBeUndefined();
});

test.each([
  ['const seen = createLRU({ max: 40_000 });', 40_000],
  ['const seen = new LRU(10 * 1000);', 10_000],
  ['const seen = createLRU({ ttl: 5 });', undefined],
] as const)('the bound that it was made with: %s', (text, limit) => {
  expect(limitGivenTo(text, 'seen')).toBe(limit);
});
