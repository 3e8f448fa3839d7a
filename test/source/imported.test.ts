import { expect, test } from 'vitest';
import { exportOf, importedAs } from '../../src/source/imported.js';
import { literalsWith } from '../../src/source/literals.js';

test.each([
  ["import { plan } from './plan.js';", 'plan', { from: './plan.js', name: 'plan' }],
  ["import { plan as p } from './plan.js';", 'p', { from: './plan.js', name: 'plan' }],
  ["import p from './plan.js';", 'p', { from: './plan.js', name: 'default' }],
  ["import * as p from './plan.js';", 'p', { from: './plan.js' }],
  ["export { made as plan } from './plan.js';", 'plan', { from: './plan.js', name: 'made' }],
  ["const { plan } = require('./plan');", 'plan', { from: './plan', name: 'plan' }],
  ["const { plan: p } = require('./plan');", 'p', { from: './plan', name: 'plan' }],
  ["const p = require('./plan').plan;", 'p', { from: './plan', name: 'plan' }],
  ["const p = require('./plan');", 'p', { from: './plan' }],
  ["exports.plan = require('./plan').plan;", 'plan', { from: './plan', name: 'plan' }],
  ["const plan_1 = __importDefault(require('./plan'));", 'plan_1', { from: './plan' }],
])('%s: %s comes from there', (text, variable, imported) => {
  expect(importedAs(text, variable)).toEqual(imported);
});

test.each([
  ['const plan = new Map();', 'plan'],
  ['const { plan } = config;', 'plan'],
  ["const { other } = require('./plan');", 'plan'],
  ['const p = load(require);', 'p'],
  ['export { plan };', 'plan'],
])('%s: %s is its own', (text, variable) => {
  expect(importedAs(text, variable)).toBeUndefined();
});

test('the whole export of a module', () => {
  expect(exportOf('const a = 1;\nmodule.exports = new Map();')).toMatchObject({ line0: 1 });
  expect(exportOf('const a = 1;\n\nexport default new Map();')).toMatchObject({ line0: 2 });
  expect(exportOf('module.exports.a = 1; exports.b = 2;')).toBeUndefined();
});

test('literals with all of the names, and the place of one of them', () => {
  const text = 'const a = {\n  name: 1,\n  spans: [],\n};\nconst b = { name: 2 };';
  expect(literalsWith(text, ['name', 'spans'], 'spans')).toMatchObject([{ line0: 2 }]);
  expect(literalsWith(text, ['name'])).toHaveLength(2);
  expect(literalsWith(text, ['name', 'id'])).toEqual([]);
});
