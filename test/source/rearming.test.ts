import { expect, test } from 'vitest';
import { rearmingLines } from '../../src/source/rearming.js';

/** The callback begins where the text says `CB`. */
const lines = (text: string) => {
  const before = text.slice(0, text.indexOf('/*CB*/')).split('\n');
  return rearmingLines(text, { line0: before.length - 1, column0: (before.at(-1) ?? '').length + 6 });
};

test.each([
  [
    'a function that hands itself to setTimeout',
    'link.on("up", () => {\nconst poll = /*CB*/() => {\nask();\nsetTimeout(poll, 5000);\n};\npoll(); });',
  ],
  [
    'one that does so when its work is done',
    'const loop = /*CB*/async () => {\nawait work();\nsetTimeout(loop, 9);\n};\n;',
  ],
  [
    'a method over another',
    'class A {\nlater() { this.t = setTimeout(/*CB*/() =>\n this.poll(),\n 9); }\npoll() { ask(); this.later(); } }',
  ],
  ['a bound method', 'class A {\npoll/*CB*/() {\nthis.t = setTimeout(this.poll.bind(this), 9);\n} }'],
])('%s starts itself again', (_, text) => {
  expect(lines(text)).toBeDefined();
});

test('the lines are those of the callback', () => {
  expect(lines('start();\nconst poll = /*CB*/() => {\nsetTimeout(poll, 5);\n};')).toEqual({ from0: 1, to0: 3 });
});

test.each([
  ['ends', 'function open(id) { setTimeout(/*CB*/() => close(id), 5000); }\nfunction close(id) { done(id); }'],
  ['starts another timer', 'setTimeout(/*CB*/() => { setTimeout(other, 50); }, 5); function other() {}'],
])('a callback that %s is no round', (_, text) => {
  expect(lines(text)).toBeUndefined();
});
