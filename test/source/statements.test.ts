import { expect, test } from 'vitest';
import { withoutLiterals } from '../../src/base/statements.js';
import { askedAt } from '../../src/source/statements.js';

const TEXT = `const BY_SHOP = \`
  select shop, sum(price) as cents
  from items where shop = $1\`;
exports.ofShop = async shop => (await pool.query(BY_SHOP, [shop])).rows[0];
exports.byId = id => pool.query('select id, title from items where id = ?', [id]);
exports.one = kind => pool.query({ text: "select rank from ranks where kind = 'main'", values: [kind] });`;
const line = (statement: string) => askedAt(TEXT, withoutLiterals(statement))?.line0;

test('a statement is found where it is asked: written there, kept in a variable, or in an object', () => {
  expect(line('select shop, sum(price) as cents\nfrom items where shop = $1')).toBe(3);
  expect(line("select id, title from items where id = 'k12'")).toBe(4);
  expect(line("select rank from ranks where kind = 'main'")).toBe(5);
});

test('a statement that begins alike and goes on otherwise is another one', () => {
  expect(line('select id, title from orders where id = 1')).toBeUndefined();
});

test("values of callers don't leave the target", () => {
  expect(withoutLiterals("update t set n = 12.5, name = 'O''Brien' where\n id = $1 and pin = 'cut of")).toBe(
    'update t set n = ?, name = ? where id = ? and pin = ?',
  );
});
