import { expect, test } from 'vitest';
import { soundsLike } from '../../src/source/uses.js';

test('a call and a field go by one name where a word of theirs has the same stem', () => {
  expect(soundsLike('registerInstance', ['_registry', '_registryMap'])).toBe(true);
  expect(soundsLike('subscribe', ['subscriptions'])).toBe(true);
  expect(soundsLike('resolve', ['_registry', '_registryMap'])).toBe(false);
  expect(soundsLike('send', ['sender'])).toBe(false);
});

test('what takes away fills nothing', () => {
  expect(soundsLike('removeListener', ['listeners'])).toBe(false);
});
