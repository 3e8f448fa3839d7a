import { expect, test } from 'vitest';
import { takings } from '../../src/source/taking.js';

const file = (name: string, text: string) => ({ url: `file:///app/${name}.js`, text });
const taken = (files: ReturnType<typeof file>[], names: string[]) =>
  takings(files, ({ url }) => new Set(url.includes('/db.') ? names : [])).map(({ callee, leaks, isOwn }) => [
    callee,
    leaks,
    isOwn,
  ]);

const RESERVE = `async function reserve(room) {
  const client = await db.getClient();
  await client.query('begin');
  if (!room) return null;
  try { await client.query('commit'); } finally { client.release(); }
}`;

test('who asks a function of the application that hands out connections takes from the pool', () => {
  const db = file('db', 'const pool = new Pool();\nmodule.exports = { getClient: () => pool.connect() };');
  expect(taken([db, file('reservations', RESERVE)], ['pool'])).toEqual([['db.getClient', 'on-return', true]]);
});

test('a connection that is made ready before it is handed out is handed out all the same', () => {
  const db = file(
    'db',
    'class Database { async lend() { const client = await this.#pool.connect(); await client.query("set x"); return client; } }',
  );
  const user = file('user', RESERVE.replace('getClient', 'lend'));
  expect(taken([db, user], ['pool'])).toContainEqual(['db.lend', 'on-return', true]);
});

test('what is taken from something else is told apart', () => {
  const other = file('mail', RESERVE.replace('db.getClient', 'smtp.connect'));
  expect(taken([other], ['pool'])).toEqual([['smtp.connect', 'on-return', false]]);
});
