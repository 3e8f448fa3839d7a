import { expect, test } from 'vitest';
import { accumulations, resorts } from '../../src/source/accumulating.js';

const inFirstFunction = (body: string): string[] =>
  accumulations(`function gather(list) {\n${body}\n}`, { line0: 0, column0: 16 }).map(({ what }) => what);

test.each([
  ['Buffer.concat', 'body = Buffer.concat([body, list]);', 'body'],
  ['concat of a field', 'this.rows = this.rows.concat(list);', 'this.rows'],
  ['spread into a list', 'state.items = [...state.items, list];', 'state.items'],
  ['spread into an object', 'seen = { ...seen, [list.id]: list };', 'seen'],
  ['Object.assign', 'seen = Object.assign({}, seen, list);', 'seen'],
  ['a set from a set', 'ids = new Set([...ids, list.id]);', 'ids'],
  ['a reducer', 'return list.reduce((all, row) => ({ ...all, [row.id]: row }), {});', 'all'],
  ['a reducer with a body', 'return list.reduce((all, row) => { return [...all, row]; }, []);', 'all'],
])('%s copies what it has gathered', (_, body, what) => {
  expect(inFirstFunction(body)).toEqual([what]);
});

test.each([
  ['a whole made once', 'const body = Buffer.concat(list); return body;'],
  ['another list', 'a = [...b, list];'],
  ['adding in place', 'rows.push(...list); Object.assign(seen, list);'],
  ['text, which V8 joins without a copy', 'text = text + list;'],
  ['a map', 'return list.map(row => ({ ...row, more: 1 }));'],
  ['a reducer that adds', 'return list.reduce((sum, row) => sum + row.n, 0);'],
  ['a state given back outside of a reducer', 'return on(list, (state, row) => ({ ...state, row }));'],
])('%s is no accumulation', (_, body) => {
  expect(inFirstFunction(body)).toEqual([]);
});

test('only the function that is asked for is read', () => {
  const text = 'function one() { a = [...a, 1]; }\nfunction two() { b = [...b, 1]; }';
  expect(accumulations(text, { line0: 1, column0: 12 })).toMatchObject([{ what: 'b', line0: 1, column0: 17 }]);
});

test('a list that is sorted after each addition is found from the function and from its comparator', () => {
  const text =
    'class Agenda {\n  add(job) {\n    this.jobs.push(job);\n    this.jobs.sort((a, b) => a.due - b.due);\n  }\n}';
  const found = { what: 'this.jobs', line0: 3, column0: 14 };
  expect(resorts(text, { line0: 1, column0: 5 })).toMatchObject(found);
  expect(resorts(text, { line0: 3, column0: 19 })).toMatchObject(found);
});

test.each([
  ['a list made anew and sorted once', 'const rows = []; for (const row of list) rows.push(row); rows.sort();'],
  ['another list', 'a.push(list); b.sort();'],
  ['only sorting', 'rows.sort();'],
])('%s is not sorted again for each piece', (_, body) => {
  expect(resorts(`function gather(list) {\n${body}\n}`, { line0: 0, column0: 16 })).toBeUndefined();
});
