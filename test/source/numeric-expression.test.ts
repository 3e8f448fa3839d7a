import { expect, test } from 'vitest';
import { problemOfReading } from '../../src/source/numeric-expression.js';

test.each([
  'globalThis.queue.length',
  'process.mainModule.exports.pool.waiting.length > 3',
  'Object.values(require.cache)[0]?.exports.size ?? 0',
  'jobs.filter(job => job.state === "late").length',
  '"a,b".split(",").length',
])('“%s” may be read', text => {
  expect(problemOfReading(text)).toBeUndefined();
});

test.each([
  ['queue.length = 0', 'change'],
  ['counter++', 'change'],
  ['delete cache.key', 'change'],
  ['(() => { await later() })()', 'no single'],
  ['await later()', 'change the program or wait'],
  ['import("node:fs")', 'change'],
  ['names.filter(name => /^a/.test(name)).length', 'regular expression'],
  ['new RegExp(text).flags.length', 'regular expression'],
  ['text.match("a+").length', 'regular expression'],
  ['text["search"]("a+")', 'regular expression'],
  ['a; b', 'no single'],
  ['if (a) b', 'no single'],
  ['x'.repeat(501), '500 characters'],
])('“%s” may not', (text, why) => {
  expect(problemOfReading(text)).toContain(why);
});
