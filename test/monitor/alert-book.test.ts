import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Alert } from '../../src/model/watch-event.js';
import { AlertBook, type AlertNews } from '../../src/monitor/alert-book.js';

const policy = { suppressMs: 100, escalateMs: 1_000 };
const alert = (rule: string, level: Alert['level'] = 'warning', metric = rule, firedAt = 0): Alert => ({
  ...{
    fingerprint: `app/${rule}`,
    kind: 'limit',
    rule,
    metric,
    level,
    title: rule,
    value: 2,
    normal: 1,
    firedAt,
    count: 1,
  },
});
const kinds = (news: readonly AlertNews[]) => news.map(({ kind, alert: { rule } }) => `${kind} ${rule}`);

test('the same trouble is told once, however often it begins', () => {
  const book = new AlertBook(policy);
  expect(kinds(book.begin(alert('a'), 0))).toEqual(['fired a']);
  expect(book.begin(alert('a'), 10)).toEqual([]);
  expect(kinds(book.end('app/a', 20))).toEqual(['resolved a']);
  expect(book.end('app/a', 30)).toEqual([]);
});

test('what comes again soon is held back, and told when it still burns afterwards', () => {
  const book = new AlertBook(policy);
  book.begin(alert('a'), 0);
  book.end('app/a', 20);
  expect(book.begin(alert('a'), 50)).toEqual([]);
  expect(book.tick(119)).toEqual([]);
  const [told] = book.tick(120);
  expect(told).toMatchObject({ kind: 'fired', alert: { rule: 'a', count: 2 } });
});

test('a warning is held back while a critical alert burns on the same metric', () => {
  const book = new AlertBook(policy);
  book.begin(alert('high', 'critical', 'm'), 0);
  expect(book.begin(alert('low', 'warning', 'm'), 10)).toEqual([]);
  expect(kinds(book.end('app/high', 50))).toEqual(['resolved high', 'fired low']);
});

test('a warning that burns on is told once more, as critical; what is only unusual is not', () => {
  const book = new AlertBook(policy);
  book.begin(alert('limit'), 0);
  book.begin({ ...alert('strange'), kind: 'anomaly' }, 0);
  expect(kinds(book.tick(999))).toEqual([]);
  expect(kinds(book.tick(1_000))).toEqual(['escalated limit']);
  expect(kinds(book.tick(5_000))).toEqual([]);
});

test('an alert that an earlier lens told is not told again, but its end is', () => {
  const book = new AlertBook(policy, [alert('a')]);
  expect(book.begin(alert('a'), 10)).toEqual([]);
  expect(kinds(book.end('app/a', 20))).toEqual(['resolved a']);
});

const moves = fc.array(
  fc.record({
    rule: fc.constantFrom('a', 'b', 'c'),
    burns: fc.boolean(),
    after: fc.integer({ min: 0, max: 60 }),
  }),
  { maxLength: 80 },
);
const LEVEL = { a: 'warning', b: 'warning', c: 'critical' } as const;

test('whatever comes: told and resolved take turns, nothing that burns stays untold, and a restart changes nothing', () => {
  fc.assert(
    fc.property(moves, fc.integer({ min: 0, max: 80 }), (plan, restartAt) => {
      let book = new AlertBook(policy);
      const told = new Map<string, boolean>();
      const burning = new Map<string, boolean>();
      const hear = (news: readonly AlertNews[]) => {
        for (const { kind, alert: said } of news) {
          if (kind === 'escalated') expect(told.get(said.rule)).toBe(true);
          else expect(told.get(said.rule) ?? false, `${kind} ${said.rule} twice`).toBe(kind === 'resolved');
          if (kind !== 'escalated') told.set(said.rule, kind === 'fired');
        }
      };
      let at = 0;
      for (const [i, { rule, burns, after }] of plan.entries()) {
        at += after;
        // A lens that is killed and started again knows what it had told; the rules find again what burns.
        if (i === restartAt) {
          book = new AlertBook(policy, book.open);
          for (const [other, on] of burning) if (on) hear(book.begin(alert(other, LEVEL[other as 'a'], 'm', at), at));
        }
        burning.set(rule, burns);
        hear(burns ? book.begin(alert(rule, LEVEL[rule], 'm', at), at) : book.end(`app/${rule}`, at));
        hear(book.tick(at));
      }
      hear(book.tick(at + policy.suppressMs));
      for (const [rule, on] of burning) {
        const inhibited =
          rule !== 'c' && (burning.get('c') || [...burning].some(([r, b]) => b && r !== rule && told.get(r)));
        if (on && !inhibited) expect(told.get(rule), `${rule} burns and was never told`).toBe(true);
        if (!on) expect(told.get(rule) ?? false, `${rule} is over and was not resolved`).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});
