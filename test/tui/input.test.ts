import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseKeys } from '../../src/tui/input.js';
import type { Key } from '../../src/tui/keys.js';

const names = (keys: readonly Key[]) => keys.map(key => key.name ?? (key.ctrl ? `ctrl-${key.input}` : key.input));

test('keys that come in one chunk are keys one by one', () => {
  expect(names(parseKeys('1\u001b[A\u001b[6~jk\r\u0003').keys)).toEqual([
    '1',
    'up',
    'pageDown',
    'j',
    'k',
    'return',
    'ctrl-c',
  ]);
});

test('an escape sequence in two halves is one key, an escape alone is the key once nothing follows', () => {
  const first = parseKeys('\u001b');
  expect(first).toEqual({ keys: [], rest: '\u001b' });
  expect(names(parseKeys(`${first.rest}[B`).keys)).toEqual(['down']);
  expect(names(parseKeys('\u001b', true).keys)).toEqual(['escape']);
});

test('a bracketed paste is one key, whatever stands in it', () => {
  const { keys } = parseKeys('\u001b[200~q\u0003\u001b[A rm -rf\r\u001b[201~x');
  expect(names(keys)).toEqual(['paste', 'x']);
});

test('wherever a terminal cuts what was typed, the keys are the same', () => {
  const piece = fc.constantFrom(
    'a',
    'q',
    '\r',
    '\u001b[A',
    '\u001b[5~',
    '\u001bOH',
    '\u0003',
    'ü',
    '😀',
    '\u001b[1;5C',
    '\u001b[200~x\ny\u001b[201~',
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat()), (pieces, cuts) => {
      const text = pieces.join('');
      const keys: Key[] = [];
      let rest = '';
      // Code points stay whole: the decoder before the parser sees to that.
      const chars = [...text];
      const at = [...new Set(cuts.map(cut => cut % (chars.length + 1)))].sort((a, b) => a - b);
      for (const [i, from] of [0, ...at].entries()) {
        const parsed = parseKeys(rest + chars.slice(from, at[i] ?? chars.length).join(''));
        keys.push(...parsed.keys);
        rest = parsed.rest;
      }
      expect(keys).toEqual(parseKeys(text).keys);
    }),
  );
});

test('rubbish never throws and never hangs', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => parseKeys(text, true).rest.length <= text.length));
});
