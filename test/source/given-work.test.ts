import { expect, test } from 'vitest';
import { isGivenWork } from '../../src/source/given-work.js';

const at = (text: string, what: string) => isGivenWork(text, { line0: 0, column0: text.indexOf(what) });

test('a limiter is given work, a question is not', () => {
  expect(at('const pack = id => disk(async () => part(id));', 'disk')).toBe(true);
  expect(at('const job = () => queue.add(function () { return 1; });', 'add')).toBe(true);
  expect(at("const ack = () => socket.emitWithAck('deal', hand);", 'emitWithAck')).toBe(false);
});

test('the innermost call at the place counts', () => {
  expect(at('const all = () => each(list, async item => { await ask(item); });', 'ask')).toBe(false);
});
