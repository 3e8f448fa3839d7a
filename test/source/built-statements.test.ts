import { expect, test } from 'vitest';
import { builtAt } from '../../src/source/built-statements.js';

const STATEMENT =
  'select `code`, sum(`uses`) as `total` from `coupons` where weight(id) >= ? group by `code` order by `total` desc limit ?';

const lineOf = (text: string, statement = STATEMENT): number | undefined => {
  const at = builtAt(text, statement);
  return at && at.line0 + 1;
};

test('the chain that writes the names of a statement is found, whatever stands around it', () => {
  const text = `
app.get('/coupons/:code', () => db('coupons').where({ code }).first());
app.get('/popular', () =>
  db('coupons')
    .select('code')
    .sum({ total: 'uses' })
    .groupBy('code'));
`;
  expect(lineOf(text)).toBe(4);
});

test('names may be written with their table, and quoted as PostgreSQL does', () => {
  const text = `
export const open = () => db.selectFrom('orders as o').innerJoin('lines', 'lines.order_id', 'o.id').select(['o.id', 'lines.sku']).execute();
`;
  const statement =
    'select "o"."id", "lines"."sku" from "orders" as "o" inner join "lines" on "lines"."order_id" = "o"."id"';
  expect(lineOf(text, statement)).toBe(2);
});

test('two chains that fit alike, and one that fits little, name nobody', () => {
  const chain = "db('coupons').select('code').sum({ total: 'uses' })";
  expect(lineOf(`const a = () => ${chain};\nconst b = () => ${chain};`)).toBeUndefined();
  expect(lineOf("db('coupons').where({ code }).first();")).toBeUndefined();
});

test('a statement that quotes no names was not built', () => {
  expect(lineOf("db('coupons').select('code')", 'select code from coupons')).toBeUndefined();
});
