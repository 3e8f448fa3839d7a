import { expect, test } from 'vitest';
import { retracings } from '../../src/source/retracing.js';

const inMethod = (body: string) => retracings(`class Day { record(visit) {\n${body}\n} }`, { line0: 0, column0: 18 });

test.each([
  ['sums', 'this.rows.push(visit);\nthis.sum = this.rows.reduce((a, b) => a + b.ms, 0);', 'this.rows', [2]],
  [
    'a copy with one more',
    'this.rows = [...this.rows, visit].slice(-9);\nconst all = this.rows.map(r => r.x);\nuse(all.filter(Boolean));',
    'this.rows',
    [1, 2, 3],
  ],
  ['a list for a set', 'if (this.ids.includes(visit.id)) return;\nthis.ids.push(visit.id);', 'this.ids', [1]],
  ['a loop', 'rows.push(visit);\nfor (const row of rows) total += row.ms;', 'rows', [2]],
  [
    'one of many',
    'const day = this.days.get(visit.day);\nday.rows.push(visit);\nday.max = Math.max(...day.rows);',
    'day.rows',
    [3],
  ],
])('%s: all is gone over for each piece', (_, body, what, lines) => {
  const found = inMethod(body);
  expect(found?.what).toBe(what);
  expect(found?.walks.map(({ line0 }) => line0)).toEqual(lines);
});

test.each([
  ['a batch', 'this.rows.push(visit);\nif (this.rows.length > 99) { send(this.rows.map(r => r.ms)); this.rows = []; }'],
  [
    'a batch that leaves early',
    'this.rows.push(visit);\nif (this.rows.length < 99) return;\nsend(this.rows.map(String));',
  ],
  [
    'now and then',
    'this.rows.push(visit);\nif (Date.now() - this.last < 1000) return;\nthis.sum = this.rows.reduce(add);',
  ],
  ['a list of its own', 'const rows = [];\nrows.push(visit);\nreturn rows.map(String);'],
  ['what it was handed', 'visit.push(1);\nreturn visit.map(String);'],
  ['another list', 'this.rows.push(visit);\nreturn this.others.map(String);'],
  ['the last ones', 'this.rows.push(visit);\nreturn this.rows.slice(-5);'],
])('%s: not all is gone over for each piece', (_, body) => {
  expect(inMethod(body)).toBeUndefined();
});

test('the function that adds may call the one that goes over all', () => {
  const text =
    'class A {\n  add(x) { this.xs.push(x); this.#sum(); }\n  #sum() { this.s = this.xs.reduce(plus, 0); }\n}';
  expect(retracings(text, { line0: 2, column0: 6 }, { line0: 1, column0: 5 })?.what).toBe('this.xs');
  expect(
    retracings(text.replace('this.#sum()', 'if (x) this.#sum()'), { line0: 2, column0: 6 }, { line0: 1, column0: 5 }),
  ).toBeUndefined();
});
