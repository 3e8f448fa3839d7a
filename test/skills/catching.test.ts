import { expect, test } from 'vitest';
import { catchAround, catchChained, isAwaited, isExplicitThrow } from '../../src/skills/catching.js';

/** The position of the mark `§`, and the text without it. */
function marked(source: string) {
  const before = source.slice(0, source.indexOf('§')).split('\n');
  const at = { line0: before.length - 1, column0: before.at(-1)?.length ?? 0 };
  return { text: source.replace('§', ''), at };
}
const caught = (source: string) => {
  const { text, at } = marked(source);
  return catchAround(text, at);
};

test.each([
  ['an empty clause', 'try { §f() } catch {}', true],
  ['a clause that returns a constant', 'function g() { try { §f() } catch (e) { return null } }', true],
  ['a clause that logs', 'try { §f() } catch (e) { log(e) }', false],
  ['a clause that keeps the error', 'let last; try { §f() } catch (e) { last = e }', false],
  ['a clause that throws another', 'try { §f() } catch { throw new Error("x") }', false],
])('%s ignores the error: %s', (_, source, ignores) => expect(caught(source)?.ignores).toBe(ignores));

test('the innermost clause receives it', () => {
  expect(caught('try {\n  try { §f() } catch {}\n} catch (e) { log(e) }')).toMatchObject({ line: 1, ignores: true });
});

test('nobody receives what is thrown in the clause itself, in finally, or in a function made within', () => {
  expect(caught('try { f() } catch { §g() }')).toBeUndefined();
  expect(caught('try { f() } catch {} finally { §g() }')).toBeUndefined();
  expect(caught('try { later(() => { §g() }) } catch {}')).toBeUndefined();
});

test('a throw statement is a decision of the program, a failing call is not', () => {
  const on = (source: string) => {
    const { text, at } = marked(source);
    return isExplicitThrow(text, at);
  };
  expect(on('if (x) §throw new Error("no")')).toBe(true);
  expect(on('return §Promise.reject(new Error("no"))')).toBe(true);
  expect(on('return JSON.§parse(text)')).toBe(false);
});

test('only an awaited call brings its rejection to the caller', () => {
  const on = (source: string) => {
    const { text, at } = marked(source);
    return isAwaited(text, at);
  };
  expect(on('await this.db.§save(x)')).toBe(true);
  expect(on('this.db.§save(x)')).toBe(false);
});

test('a clause puts back what failed when it hands it on and tells nobody of the error', () => {
  const putsBack = (clause: string) =>
    caught(`function run() { const job = this.queue.shift(); try { §f(job) } ${clause} }`)?.putsBack;
  expect(putsBack('catch { this.queue.push(job) }')).toBe(true);
  expect(putsBack('catch { failed.push(job) }')).toBe(false);
  expect(putsBack('catch (e) { setTimeout(run, 100, job) }')).toBe(true);
  expect(putsBack('catch (e) { log(e); queue.push(job) }')).toBe(false);
  expect(putsBack('catch { return fallback() }')).toBe(false);
});

test.each([
  ['an empty handler', 'async () => { await §store(x).catch(() => {}) }', true],
  ['an empty handler of what is awaited here', 'async () => { §await store(x).catch(() => undefined) }', true],
  ['a handler that tells', 'async () => { §await store(x).catch(e => log(e)) }', false],
  ['a handler that looks at the error', 'async () => { §await store(x).catch(e => e.code) }', false],
  ['a handler by name', 'async () => { §await store(x).catch(report) }', undefined],
  ['a handler of another call', 'async () => { §await store(x); await load(x).catch(() => {}) }', undefined],
  ['a handler around the function', 'run(async () => { §await store(x) }).catch(() => {})', undefined],
])('%s of a chained catch ignores the error: %s', (_, source, ignores) => {
  const { text, at } = marked(source);
  expect(catchChained(text, at)?.ignores).toBe(ignores);
});
