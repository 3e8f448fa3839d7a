import { expect, test } from 'vitest';
import { handingsOf } from '../../src/source/handed.js';

const TEXT = `
const file = new File({ name: 'log' });
const first = loggers.add('main', { transports: [file] });
exports.loggerFor = id =>
  loggers.add('item-' + id, { transports: [file], level: 'info' });
exports.end = () => file.end();
exports.named = id => make({ file: id });
`;

test('a variable is handed over where a function’s call gets it, itself or within a literal', () => {
  expect(handingsOf(TEXT, 'file')).toMatchObject([
    {
      line0: 4,
      function: 'exports.loggerFor',
      code: "loggers.add('item-' + id, { transports: [file], level: 'info' });",
    },
  ]);
});
