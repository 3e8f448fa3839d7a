import { expect, test } from 'vitest';
import { lookups } from '../../src/source/lookups.js';
import { sameEachRound } from '../../src/source/rounds.js';

const inMethod = (body: string) =>
  lookups(`const users = [];\nclass Store {\n  get(id, list) {\n${body}\n  }\n}`, { line0: 2, column0: 5 });

test.each([
  ['return this.#all.find(one => one.id === id);', 'this.#all'],
  ['return users.some(({ name }) => name === id);', 'users'],
  ['const at = users.findIndex(function (user) { return id == user.key; });', 'users'],
])('%s is a search that a Map would spare', (body, what) => {
  expect(inMethod(body).map(each => each.what)).toEqual([what]);
});

test.each([
  'return list.find(one => one.id === id);',
  'return this.all.find(one => one.from < id);',
  'return this.all.find(one => one.matches(id) === true);',
  'return this.byId.get(id);',
  'const own = read(); return own.find(one => one.id === id);',
])('%s is none', body => {
  expect(inMethod(body)).toEqual([]);
});

test('the condition itself is found by where it stands', () => {
  const text = 'const get = id => users.find(user => user.id === id);';
  expect(lookups(text, { line0: 0, column0: text.indexOf('user =>') })).toMatchObject([{ what: 'users' }]);
});

const sent = (text: string) => {
  const [line0, line] = [...text.split('\n').entries()].find(([, each]) => each.includes('stringify'))!;
  return sameEachRound(text, { line0, column0: line.indexOf('stringify') });
};

test('what does not depend on the round is the same in each', () => {
  expect(sent('for (const one of readers) {\n  one.send(JSON.stringify(data));\n}')).toBe('JSON.stringify(data)');
  expect(sent('readers.forEach(one => one.send(JSON.stringify(this.data)));')).toBe('JSON.stringify(this.data)');
  expect(sent('readers.forEach(one => one.send(JSON.stringify({ kind, data })));')).toBe(
    'JSON.stringify({ kind, data })',
  );
});

test.each([
  'for (const one of readers) {\n  one.send(JSON.stringify(one.data));\n}',
  'for (const one of readers) {\n  const data = one.view();\n  one.send(JSON.stringify(data));\n}',
  'readers.forEach(one => { data.n++; one.send(JSON.stringify(data)); });',
  'on(request => { send(JSON.stringify(data)); });',
  'send(JSON.stringify(data));',
])('%s differs', text => {
  expect(sent(text)).toBeUndefined();
});
