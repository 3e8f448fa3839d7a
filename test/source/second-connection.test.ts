import { expect, test } from 'vitest';
import { secondConnection } from '../../src/source/second-connection.js';

const JOURNAL = `import { db } from './db.js';
export class Journal {
  async write(entry) {
    await db.insertInto('entries').values(entry).execute();
  }
  count() {
    return this.written;
  }
}
export const journal = new Journal();
`;
const found = (work: string) =>
  secondConnection(
    {
      url: 'file:///srv/sheets.js',
      text: `import { db } from './db.js';\nimport { journal } from './journal.js';\n${work}`,
    },
    [{ url: 'file:///srv/journal.js', text: JOURNAL }],
  )?.line0;

test('work in a transaction that asks its pool again is found, here and in what it calls', () => {
  expect(
    found('export const a = () => db.transaction().execute(async trx => {\n  await db.selectFrom(x).execute();\n});'),
  ).toBe(3);
  expect(
    found(
      'export const a = () => db.transaction(async trx => {\n  await trx.insert(x);\n  await journal.write(x);\n});',
    ),
  ).toBe(4);
});

test('what is handed the transaction, and what asks nobody, stays in it', () => {
  expect(
    found('export const a = () => db.transaction(async trx => {\n  await journal.write(x, trx);\n});'),
  ).toBeUndefined();
  expect(
    found(
      'export const a = () => db.transaction(async trx => {\n  await trx.insert(x);\n  return journal.count();\n});',
    ),
  ).toBeUndefined();
});

test('a function of the same file that asks the pool is seen', () => {
  const text = `async function next(name) {
  const [rows] = await sequelize.query('update counters', { replacements: { name } });
  return rows[0].value;
}
async function place(sku) {
  return sequelize.transaction(async transaction => {
    const order = await Order.create({ sku }, { transaction });
    const number = await next(sku);
    return order.update({ number }, { transaction });
  });
}`;
  const file = { url: 'file:///a/orders.js', text };
  expect(secondConnection(file, [file])?.line0).toBe(7);
});

test('a model that is not handed the transaction asks its pool for another connection', () => {
  const body = (options: string) => `async function place(sku) {
  return sequelize.transaction(async t => {
    const order = await Order.create({ sku }, { transaction: t });
    await Counter.increment('value', { where: { sku }${options} });
    return order;
  });
}`;
  const file = (text: string) => ({ url: 'file:///a/orders.js', text });
  expect(secondConnection(file(body('')), [])?.line0).toBe(3);
  expect(secondConnection(file(body(', transaction: t')), [])).toBeUndefined();
});
