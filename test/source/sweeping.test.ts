import { expect, test } from 'vitest';
import { sweptBy } from '../../src/source/sweeping.js';

const inTimer = (body: string) =>
  sweptBy(`class Store {\n  start() { setInterval(() => this.expire(), 80); }\n  expire() {\n${body}\n  }\n}`, {
    line0: 2,
    column0: 8,
  });

test.each([
  'for (const [id, one] of this.byId) if (one.until < Date.now()) this.byId.delete(id);',
  'Object.entries(this.byId).filter(([, s]) => s.until < now).forEach(([id]) => delete this.byId[id]);',
  'this.byId = this.byId.filter(one => one.until > Date.now());',
])('%s looks at every entry at each tick', body => {
  expect(inTimer(body)).toBe('byId');
});

test('what takes one out, or all, sweeps nothing', () => {
  expect(inTimer('this.byId.delete(this.oldest);')).toBeUndefined();
  expect(inTimer('send([...this.byId]); this.byId.clear();')).toBeUndefined();
});
