import { isNode, positionOf, syntaxOf, type TextPosition } from './syntax.js';

/** A pattern as it is written, whose matching may take much longer than its subject is long. */
export interface BacktrackingPattern extends TextPosition {
  readonly pattern: string;
}

/** Patterns of a text that backtrack: regular expressions, their texts, and paths with two names in one segment. */
export function backtrackingPatterns(text: string): BacktrackingPattern[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap(node => {
    if (node.type !== 'Literal') return [];
    const regexp = isNode(node) && (node.regex as { pattern: string } | undefined)?.pattern;
    const pattern = regexp || (typeof node.value === 'string' ? node.value : '');
    const isOne = regexp
      ? backtracks(pattern)
      : isPathOfTwo(pattern) || (/^\^|\$$/.test(pattern) && backtracks(pattern));
    return isOne ? [{ pattern, ...positionOf(syntax, node.start) }] : [];
  });
}

/** `/legs/:from-:to`: each name matches what lies between two others, wherever it is cut. */
const isPathOfTwo = (text: string): boolean => text.startsWith('/') && /\/[^/]*:\w+[^/:]+:\w+/.test(text);

const ATOM = String.raw`(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\\[\]()*+?{}|])`;
const REPEATED = String.raw`(?:[*+]|\{\d+,\}|\{\d{2,},?\d*\})\??`;
const QUANTIFIED = new RegExp(`${ATOM}(?:${REPEATED}|\\?|\\{\\d+,?\\d*\\}\\??)`, 'g');
const LOOPED = new RegExp(String.raw`\((?:\?:|\?<\w+>)?((?:${ATOM}|[*+?{}|])*)\)${REPEATED}`, 'g');

/** A repeated group in which something is repeated and nothing else must be there: `(\w+\s?)*`. */
function backtracks(pattern: string): boolean {
  return [...pattern.matchAll(LOOPED)].some(([, body = '']) =>
    body.split('|').some(way => new RegExp(ATOM + REPEATED).test(way) && way.replace(QUANTIFIED, '') === ''),
  );
}
