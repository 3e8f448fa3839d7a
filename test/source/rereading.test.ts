import { expect, test } from 'vitest';
import { rereadings } from '../../src/source/rereading.js';

const inFunction = (body: string) => rereadings(`async function load(name) {\n${body}\n}`, { line0: 0, column0: 19 });

test.each([
  ['a constant', "return JSON.parse(fs.readFileSync(file, 'utf8'));"],
  ['a path that is put together', "const at = path.join(__dirname, 'a.json');\nreturn JSON.parse(readFileSync(at));"],
  ['an awaited one', 'const text = await fs.promises.readFile(this.file);\nreturn JSON.parse(text)[name];'],
])('%s is the same file each time', (_, body) => {
  expect(inFunction(body)?.isFixed).toBe(true);
});

test.each([
  ['its argument', 'return JSON.parse(readFileSync(name));'],
  ['a variable with its argument', 'const at = path.join(dir, name);\nreturn JSON.parse(readFileSync(at));'],
])('%s decides which file', (_, body) => {
  expect(inFunction(body)?.isFixed).toBe(false);
});

test('who writes files keeps them there', () => {
  expect(
    inFunction('const all = JSON.parse(readFileSync(file));\nwriteFileSync(file, JSON.stringify([...all, name]));'),
  ).toBeUndefined();
  expect(inFunction('return parse(name);')).toBeUndefined();
});
