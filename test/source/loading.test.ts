import { expect, test } from 'vitest';
import { loadingsOf } from '../../src/source/loading.js';

test('the import whose fixed words are in the url comes first', () => {
  const text = `const a = await import(plugin);\nasync function rules(id) {\n  return import(\`../tenants/\${id}.js?rev=\${n++}\`);\n}`;
  const [first] = loadingsOf(text, 'file:///srv/tenants/acme.js?rev=17');
  expect([first?.line0, first?.how, first?.function, first?.likeness]).toEqual([2, 'import', 'rules', 3]);
});

test('a require that forgets its module is told, one of a fixed name is not', () => {
  const text = "const fs = require('fs');\nfunction load(f) {\n  delete require.cache[f];\n  return require(f);\n}";
  expect(loadingsOf(text, '/srv/forms/a.js').map(one => [one.line0, one.likeness])).toEqual([[3, 2]]);
});
