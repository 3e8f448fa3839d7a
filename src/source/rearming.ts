import { callSites } from './calls.js';
import { functionName } from './names.js';
import {
  functionAround,
  isNode,
  offsetOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** First and last line of a function, 0-based. */
export interface Lines {
  readonly from0: number;
  readonly to0: number;
}

/** Functions between a timer's callback and the call that starts the timer again. */
const MOST_STEPS = 3;

/**
 * The lines of the callback at a position when it starts its own timer again: `const poll = () => { …; setTimeout(poll, 5000) }`,
 * or over functions of the same text (`() => this.poll()`, where `poll` ends with `this.later()`). Undefined when it ends.
 */
export function rearmingLines(text: string, position: TextPosition): Lines | undefined {
  const syntax = syntaxOf(text);
  const callback = functionAround(syntax, offsetOf(syntax, position));
  const node = syntax.nodes[callback];
  if (!node || !startsAgain(syntax, callback, callback, MOST_STEPS)) return undefined;
  return { from0: positionOf(syntax, node.start).line0, to0: positionOf(syntax, node.end).line0 };
}

function startsAgain(syntax: Syntax, callback: number, index: number, steps: number): boolean {
  const node = syntax.nodes[index];
  if (!node) return false;
  if (timersIn(syntax, node).some(timer => isCalledBy(syntax, timer, callback))) return true;
  if (steps === 0) return false;
  const within = callSites(syntax.text).filter(site => isIn(node, offsetOf(syntax, site)));
  const called = new Set(within.map(({ method }) => method));
  return syntax.functions.some(
    next => next !== index && called.has(ownName(syntax, next)) && startsAgain(syntax, callback, next, steps - 1),
  );
}

const isIn = ({ start, end }: SyntaxNode, offset: number): boolean => start <= offset && offset < end;

const timersIn = (syntax: Syntax, { start, end }: SyntaxNode): SyntaxNode[] =>
  syntax.nodes.filter(
    node => node.type === 'CallExpression' && start <= node.start && node.end <= end && isTimeout(node),
  );

function isTimeout({ callee }: SyntaxNode): boolean {
  if (!isNode(callee)) return false;
  const name = callee.type === 'MemberExpression' ? callee.property : callee;
  return isNode(name) && name.name === 'setTimeout';
}

/** `setTimeout(poll, …)`, `setTimeout(this.poll.bind(this), …)`, or the very function that is written there. */
function isCalledBy(syntax: Syntax, { arguments: given }: SyntaxNode, callback: number): boolean {
  const [first] = Array.isArray(given) ? given : [];
  if (!isNode(first)) return false;
  if (first === syntax.nodes[callback]) return true;
  const bound = first.type === 'CallExpression' && isNode(first.callee) ? first.callee.object : first;
  const named = isNode(bound) && bound.type === 'MemberExpression' ? bound.property : bound;
  return isNode(named) && named.type === 'Identifier' && named.name === ownName(syntax, callback);
}

/** `poll` of `Reader.poll` and of `const poll = () => …`. */
const ownName = (syntax: Syntax, index: number): string => functionName(syntax, index).split('.').at(-1) ?? '';
