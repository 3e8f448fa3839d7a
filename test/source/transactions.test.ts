import { expect, test } from 'vitest';
import { openTransactions } from '../../src/source/transactions.js';

const lines = (body: string): number[] =>
  openTransactions(`async function work(client) {\n${body}\n}`).map(({ line0 }) => line0);

test('a return between BEGIN and COMMIT leaves the transaction open', () => {
  const early = "try {\nawait client.query('BEGIN');\nif (x) return 0;\nawait client.query('COMMIT');\n} catch (e) {";
  expect(lines(`${early}\nawait client.query('ROLLBACK');\nthrow e;\n} finally { client.release(); }`)).toEqual([2]);
  expect(lines('await c.beginTransaction();\nif (x) return;\nawait c.commit();')).toEqual([1]);
  expect(lines('await sql`begin`;\nif (x) { return 1; }\nawait sql`commit`;')).toEqual([1]);
});

test('where each way out ends it, or another function does, none stays open', () => {
  const begin = "await client.query('BEGIN');\n";
  expect(
    lines(`${begin}if (x) {\nawait client.query('ROLLBACK');\nreturn 0; }\nreturn client.query('COMMIT');`),
  ).toEqual([]);
  expect(lines(`${begin}try { if (x) return 0; } finally { await client.query('COMMIT'); }`)).toEqual([]);
  expect(lines(`${begin}return use(client);`)).toEqual([]);
  expect(lines(`${begin}const value = await use(client);\nawait client.query('COMMIT');\nreturn value;`)).toEqual([]);
});

test('an error that nobody of the function catches leaves it open, one that a rollback answers does not', () => {
  const work = "await client.query('BEGIN');\nif (x) throw new Error('no');\nawait client.query('COMMIT');\n";
  expect(lines(`try {\n${work}} finally { client.release(); }`)).toEqual([2]);
  expect(lines(`try {\n${work}} catch (e) { client.release(); throw e; }`)).toEqual([2]);
  expect(lines(`try {\n${work}} catch (e) { await client.query('ROLLBACK'); throw e; }`)).toEqual([]);
});
