import { expect, test } from 'vitest';
import { uncalledCallbacks } from '../../src/source/uncalled.js';

/** The line (from 1) that leaves each callback uncalled. */
const lines = (source: string) => uncalledCallbacks(source).map(({ line0, callback }) => `${callback}:${line0 + 1}`);

test('a way that leaves without a word to the callback is found, in the function or in what it waits for', () => {
  expect(lines('t.obj(function (row, _, done) {\n if (row.off) return;\n this.push(row);\n done();\n});')).toEqual([
    'done:2',
  ]);
  expect(
    lines(
      'multer({ fileFilter(req, file, tell) {\n look(file).then(kind => {\n  if (kind) tell(null, true);\n }, tell);\n} });',
    ),
  ).toEqual(['tell:3']);
  expect(
    lines(
      'queue.process((job, done) => {\n rate(job, (error, rate) => {\n  if (error) return done(error);\n  if (!rate) {\n   job.log(1);\n   return;\n  }\n  done(null, rate);\n });\n});',
    ),
  ).toEqual(['done:6']);
  expect(
    lines(
      'module.exports = (req, reply, next) => {\n const n = count(req);\n if (n > 9) {\n  reply.code(429);\n  return;\n }\n next();\n};',
    ),
  ).toEqual(['next:5']);
});

test('who answers, hands on, throws or has called before is not accused', () => {
  expect(
    lines('app.use((req, res, next) => {\n if (!req.user) { res.status(401).end(); return; }\n next();\n});'),
  ).toEqual([]);
  expect(lines('app.use((req, res, next) => {\n if (!req.user) { deny(res); return; }\n next();\n});')).toEqual([]);
  expect(
    lines(
      'const f = (a, cb) => {\n let called = false;\n x.on(e => { if (called) return; called = true; cb(null); });\n};',
    ),
  ).toEqual([]);
  expect(lines('const f = (a, cb) => {\n if (a) return g(a, cb);\n cb(null);\n};')).toEqual([]);
  expect(lines('const each = (list, visit) => {\n if (list.length > 0) visit(list[0]);\n};')).toEqual([]);
  expect(lines('const f = (a, cb) => {\n if (!a) throw new Error("a");\n cb(null, a);\n};')).toEqual([]);
});
