import { expect, test } from 'vitest';
import { isNamedAfter } from '../../src/source/bindings.js';

test('compilers and bundlers name an import after its package', () => {
  expect(isNamedAfter('(0, import_serialize_javascript.default)', 'serialize-javascript')).toBe(true);
  expect(isNamedAfter('serialize_javascript__WEBPACK_IMPORTED_MODULE_2___default()', 'serialize-javascript')).toBe(
    true,
  );
  expect(isNamedAfter('xmldom_1.DOMParser', '@xmldom/xmldom')).toBe(true);
  expect(isNamedAfter('this.xmldom.parse', 'ms')).toBe(false);
  expect(isNamedAfter('forms_1.parse', 'ms')).toBe(false);
});
