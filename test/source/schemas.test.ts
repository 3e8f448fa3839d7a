import { expect, test } from 'vitest';
import { asksSchema, buildsSchema } from '../../src/source/schemas.js';

const IMPORT = `import Joi from 'joi';\n`;
const builds = (text: string, line0: number) => buildsSchema(IMPORT + text, { line0, column0: 20 }, 'joi');
const SHAPE = `Joi.object({ a: Joi.string(), b: Joi.number() })`;

test('a schema that is built, asked once and dropped is known in each style', () => {
  const apart = `function shape(tenant) { return ${SHAPE}; }\nexport const check = body => shape().validate(body);`;
  expect(builds(apart, 1)).toBe(true);
  expect(builds(`function check(body) { const s = ${SHAPE}; return s.validate(body); }`, 1)).toBe(true);
  expect(builds(`function check(body) { return ${SHAPE}.validateAsync(body); }`, 1)).toBe(true);
  expect(
    builds(`class A { shape(body) { return ${SHAPE}; }\n check(b) { return this.shape().validate(b); } }`, 1),
  ).toBe(true);
});

test('a schema that is kept, other builders, and texts that are parsed are none', () => {
  expect(builds(`const s = ${SHAPE};\nfunction check(body) { return s.validate(body); }`, 2)).toBe(false);
  expect(builds(`function find(db) { return [Joi.a(1), Joi.b(2), Joi.c(3)].map(x => JSON.parse(x)); }`, 1)).toBe(false);
  expect(builds(`function read(text) { const r = Joi.parse(text); return r; }`, 1)).toBe(false);
  expect([asksSchema('internals.Base.validate'), asksSchema('parsePattern')]).toEqual([true, false]);
});
