import { expect, test } from 'vitest';
import { namesOfModule } from '../../src/source/bindings.js';
import { callAt, callSites } from '../../src/source/calls.js';
import { isChained, isInLoop } from '../../src/source/loops.js';
import { acquisitions } from '../../src/source/release.js';

const leaks = (body: string, callee = 'pool.connect') => {
  const text = `async function work(id) {\n${body}\n}`;
  return acquisitions(
    text,
    callSites(text).filter(site => site.callee === callee),
  ).map(acquisition => acquisition.leaks);
};

test('a client that is released in a finally block does not leak', () => {
  expect(leaks('const c = await pool.connect(); try { return await c.query(1); } finally { c.release(); }')).toEqual([
    'no',
  ]);
});

test('an early return before the release leaks', () => {
  expect(leaks('const c = await pool.connect(); if (!id) return null; c.release(); return 1;')).toEqual(['on-return']);
});

test('an early return after a release of its own does not', () => {
  expect(
    leaks('const c = await pool.connect(); if (!id) { c.release(); return null; } c.release(); return 1;'),
  ).toEqual(['no']);
});

test('a release that is never reached when a query throws is told apart', () => {
  expect(leaks('const c = await pool.connect(); const r = await c.query(1); c.release(); return r;')).toEqual([
    'on-throw',
  ]);
});

test('what is never given back leaks always', () => {
  expect(leaks('const c = await pool.connect(); return (await c.query(1)).rows;')).toEqual(['always']);
});

test('a release function, a lock without a value, and giving back to the pool all count', () => {
  expect(leaks('const release = await mutex.acquire(); if (id) return; release();', 'mutex.acquire')).toEqual([
    'on-return',
  ]);
  expect(leaks('await lock.acquire(); try { step(); } finally { lock.release(); }', 'lock.acquire')).toEqual(['no']);
  expect(leaks('const w = await pool.acquire(); step(w); pool.release(w);', 'pool.acquire')).toEqual(['no']);
});

test('a wrapper that hands the client on is nobody who leaks', () => {
  expect(leaks('return pool.connect();')).toEqual([]);
  expect(leaks('const c = await pool.connect(); return c;')).toEqual(['no']);
});

test('a place in a loop or in a callback per item is told from one that runs once', () => {
  expect(isInLoop('async function f() { for (const x of y) { await g(x); } }', 0, 45)).toBe(true);
  expect(isInLoop('async function f() { await Promise.all(y.map(async x => { await g(x); })); }', 0, 62)).toBe(true);
  expect(isInLoop('async function f() { await g(1); }', 0, 23)).toBe(false);
  expect(isInLoop('async function f(i) { await g(i); return f(i + 1); }', 0, 28)).toBe(true);
});

test('a thing that is worked with and handed back comes from a pool, a ticket or nothing from a lock', () => {
  const isThing = (body: string) => {
    const text = `async function work(id) {\n${body}\n}`;
    const sites = callSites(text).filter(site => /acquire|\.lock$/.test(site.callee));
    return acquisitions(text, sites).map(one => one.isThing);
  };
  expect(isThing('const c = await pool.acquire(); await ask(c, id); pool.release(c);')).toEqual([true]);
  expect(isThing('const c = await pool.acquire(); await c.query(id); pool.release(c);')).toEqual([true]);
  expect(isThing('const ticket = await gate.acquire(); await step(id); gate.release(ticket);')).toEqual([false]);
  expect(isThing('await show.lock(); step(id); show.unlock();')).toEqual([false]);
  expect(isThing('const release = await mutex.acquire(); step(id); release();')).toEqual([false]);
});

test('a connection is worked with, a lock is not; both may be given back by a method of their own', () => {
  const isThing = (body: string) => {
    const text = `async function work(id) {\n${body}\n}`;
    const sites = callSites(text).filter(site => /reserve|lock/.test(site.callee));
    return acquisitions(text, sites).map(one => one.isThing);
  };
  expect(isThing('const s = await sql.reserve(); await s`select 1`; s.release();')).toEqual([true]);
  expect(isThing('const c = await sql.reserve(); await c.query(1); c.release();')).toEqual([true]);
  expect(isThing('const l = await redis.lock(id); await work(); await l.extend(5); await l.release();')).toEqual([
    false,
  ]);
});

test('a function that is handed what was taken gives it back', () => {
  expect(leaks('const t = await enter(id); if (!id) throw new Error(); await leave(id, t);', 'enter')).toEqual([
    'on-return',
  ]);
  expect(leaks('const t = await enter(id); try { await x(); } finally { await leave(id, t); }', 'enter')).toEqual([
    'no',
  ]);
});

test('pages that are asked for with the cursor of the last one follow from each other, items do not', () => {
  const at = (text: string): boolean => isChained(`async function f() {\n${text}\n}`, 1, text.indexOf('get'));
  expect(at('do { const page = await api.get(cursor); cursor = page.next; } while (cursor);')).toBe(true);
  expect(at('while (url) { const { next } = await api.get({ url }); url = next; }')).toBe(true);
  expect(at('for (let p = await api.first(); p.next; ) { p = await api.get(p.next); }')).toBe(true);
  expect(at('for (const id of ids) { last = await api.get(id); }')).toBe(false);
  expect(at('while (ids.length) { last = await api.get(ids.shift()); }')).toBe(false);
  expect(at('while (page < 9) { list = await api.get(page); page = page + 1; }')).toBe(false);
});

test('what only a listener gives back is kept for as long as somebody stays', () => {
  const text = `async function live(request) {
  const client = await pool.connect();
  await client.query('listen changes');
  request.on('close', () => { stop(); client.release(); });
}`;
  const sites = callSites(text).filter(({ method }) => method === 'connect');
  expect(acquisitions(text, sites)).toMatchObject([{ leaks: 'no', waitsElsewhere: true, isThing: true }]);
});

test('a script knows a module of the application by the names that it gives it', () => {
  const of = (text: string) => namesOfModule(text, 'file:///srv/src/routes/live.js', '/srv/src/db.js');
  expect(of("const pool = require('../db');\nconst other = require('./db');")).toEqual(['pool']);
  expect(of("import base from '../db.js';")).toEqual(['base']);
});

const callback = (body: string) => leaks(`pool.getConnection((err, conn) => {\n${body}\n});`, 'pool.getConnection');

test('a callback that answers early without giving back leaks', () => {
  const query = (early: string) =>
    `if (err) return next(err);
    conn.query('select 1', (error, rows) => { if (rows.length === 0) ${early} conn.release(); res.json(rows); });`;
  expect(callback(query('return res.status(404).end();'))).toEqual(['on-return']);
  expect(callback(query('{ conn.release(); return res.status(404).end(); }'))).toEqual(['no']);
  expect(callback("if (err) return next(err); conn.query('select 1', (error, rows) => res.json(rows));")).toEqual([
    'always',
  ]);
});

test('the third parameter of a callback gives back', () => {
  expect(leaks('pool.connect((err, client, done) => { client.query(1, () => { done(); }); });')).toEqual(['no']);
});

test('what a then is handed has to be given back in what follows', () => {
  const chain = (early: string) =>
    leaks(
      `return pool.acquire().then(conn => conn.read(id).then(row => { if (!row) ${early} return pool.release(conn).then(() => row); }));`,
      'pool.acquire',
    );
  expect(chain('return null;')).toEqual(['on-return']);
  expect(chain('{ pool.release(conn); return null; }')).toEqual(['no']);
  expect(
    leaks('return pool.connect().then(conn => conn.query(1).finally(() => conn.release()));', 'pool.connect'),
  ).toEqual(['no']);
});

test('a handler that is handed to a framework holds nothing', () => {
  expect(leaks("app.get('/page', async (req, res) => { res.send(await render(req)); });", 'app.get')).not.toContain(
    'on-return',
  );
  expect(leaks('return fetch(id).then(res => res.json());', 'fetch')).toEqual([]);
});

test('a transaction that is begun by itself is given back by its end, on every way out', () => {
  const begun = (early: string) =>
    leaks(
      `const t = await sequelize.transaction();
      try { const a = await A.findByPk(1, { transaction: t }); if (!a) { ${early} } await t.commit(); return a; }
      catch (error) { await t.rollback(); throw error; }`,
      'sequelize.transaction',
    );
  expect(begun('return null;')).toEqual(['on-return']);
  expect(begun('await t.rollback(); return null;')).toEqual(['no']);
  expect(leaks('const x = await db.transaction(async trx => trx("a").insert(1)); return x;', 'db.transaction')).toEqual(
    [],
  );
  expect(
    leaks('const trx = await db.transaction(); await trx("a").insert(1); await trx.commit();', 'db.transaction'),
  ).toEqual(['on-throw']);
});

test('who stands at an await waits for what is awaited, not in the call around it', () => {
  const text = 'app.get(1, async (req, res) => { res.send(await render(req)); });';
  expect(callAt(text, 0, text.indexOf('await'))?.callee).toBe('render');
});
