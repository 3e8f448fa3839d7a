import { expect, test } from 'vitest';
import { callsOnLine } from '../../src/source/calls.js';
import { isForLog } from '../../src/source/for-log.js';

const stringified = (line: string) => callsOnLine(line, 0).find(({ method }) => method === 'stringify')!;

test.each([
  "log.debug('state ' + JSON.stringify(state));",
  "this.logger.info({ state: JSON.stringify(state) }, 'moved');",
  "console.log('now', JSON.stringify(state));",
])('%s is serialized for the log', line => {
  expect(isForLog(line, stringified(line))).toBe(true);
});

test.each([
  'res.end(JSON.stringify(state));',
  'Math.log(JSON.stringify(state).length);',
  'log.info(() => { send(JSON.stringify(state)); });',
])('%s is not', line => {
  expect(isForLog(line, stringified(line))).toBe(false);
});
