import { expect, test } from 'vitest';
import { slotReset } from '../../src/source/ring-slots.js';

test.each([
  'slots[at % slots.length] = new Map();',
  'class W { turn() { this.at = (this.at + 1) % 60; this.slots[this.at] = []; } }',
  'const i = second % 60;\nslots[i].clear();',
  'slots[at % 8].length = 0;',
])('a collection of an array that goes round begins anew: %s', text => {
  expect(slotReset(text, 'slots')).toBeDefined();
});

test.each([
  'if (!slots[key]) slots[key] = [];',
  'setInterval(() => { slots[Date.now()] = new Map(); }, 1000);',
  'other[at % 8] = [];',
  'slots[at % 8] = next;',
])('one that comes only once does not: %s', text => {
  expect(slotReset(text, 'slots')).toBeUndefined();
});
