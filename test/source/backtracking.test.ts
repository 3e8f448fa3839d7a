import { expect, test } from 'vitest';
import { backtrackingPatterns } from '../../src/source/backtracking.js';

const patterns = (text: string) => backtrackingPatterns(text).map(({ pattern }) => pattern);

test.each([
  String.raw`const a = /^(\w+\s?)*$/;`,
  `const a = { pattern: '^([a-z]+)*$' };`,
  String.raw`const a = /^(?:\d+|x)+y/;`,
  `router.get('/legs/:from-:to', show);`,
])('%s backtracks', text => expect(patterns(text)).toHaveLength(1));

test.each([
  String.raw`const a = /^\w+(\.\w+)*$/;`,
  String.raw`const a = /(?:,\d+)+;/;`,
  `const a = /^[a-z]{2}(-[A-Z]{2})?$/;`,
  `router.get('/legs/:from/:to', show);`,
  `const at = 'http://host:80/a:b';`,
  `log('(a+)+ is a pattern');`,
])('%s does not', text => expect(patterns(text)).toEqual([]));

test('a pattern is told with its position', () => {
  expect(backtrackingPatterns(`const x = 1;\napp.get('/a/:b-:c', f);`)).toEqual([
    { pattern: '/a/:b-:c', line0: 1, column0: 8 },
  ]);
});
