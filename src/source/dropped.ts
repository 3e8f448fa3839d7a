import { callSites } from './calls.js';
import { chainText } from './names.js';
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

/** Where jobs are taken out of the list that holds the ends of their promises. */
export interface Taker extends TextPosition {
  /** The list as its text names it: `#waiting`, `jobs`. */
  readonly list: string;
}

const PUTS = /^(push|unshift|add|enqueue|set|insert|put)$/;
/** Taken by their turn: who is looked up by an id waits for an answer of its own. */
const TAKES = /^(shift|pop|splice|dequeue|take|removeFirst|popFront)$/;

/** Goes through all of a list. */
const EACH = /^(forEach|map)$/;

/**
 * A promise made at the position whose `resolve` is put into a list, and who takes it out of there: from then on settling
 * it is the taker's. Undefined when it goes anywhere else.
 */
export function takerOf(text: string, position: TextPosition): Taker | undefined {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const made = syntax.nodes.filter(node => isPromise(node) && node.start <= offset && offset < node.end).at(-1);
  const list = made && listOf(syntax, made);
  if (!made || list === undefined) return undefined;
  const at = [...taken(syntax, list), ...swapped(syntax, list)].find(each => each < made.start || each >= made.end);
  return at === undefined ? undefined : { list, ...positionOf(syntax, at) };
}

const isPromise = ({ type, callee }: SyntaxNode): boolean =>
  type === 'NewExpression' && isNode(callee) && callee.name === 'Promise';

function listOf(syntax: Syntax, made: SyntaxNode): string | undefined {
  const [executor] = Array.isArray(made.arguments) ? made.arguments : [];
  if (!isNode(executor) || !Array.isArray(executor.params)) return undefined;
  const names = new Set(executor.params.flatMap(param => (isNode(param) ? [param.name] : [])));
  const puts = callSites(syntax.text).filter(
    site => PUTS.test(site.method) && isWithin(offsetOf(syntax, site), executor),
  );
  for (const site of puts) {
    const offset = offsetOf(syntax, site);
    const call = syntax.nodes.filter(node => node.type === 'CallExpression' && isWithin(offset, node)).at(-1);
    const hands =
      call &&
      syntax.nodes.some(({ type, name, start }) => type === 'Identifier' && names.has(name) && isWithin(start, call));
    if (hands) return site.callee.split('.').at(-2);
  }
  return undefined;
}

const isWithin = (offset: number, { start, end }: SyntaxNode): boolean => start <= offset && offset < end;

const taken = (syntax: Syntax, list: string): number[] =>
  callSites(syntax.text)
    .filter(site => TAKES.test(site.method) && site.callee.split('.').at(-2) === list)
    .map(site => offsetOf(syntax, site));

/** `const batch = this.waiting; this.waiting = [];` takes them all at once. */
const swapped = (syntax: Syntax, list: string): number[] =>
  syntax.nodes.flatMap(({ type, left, right, start }, index) => {
    const isEmpty =
      isNode(right) && right.type === 'ArrayExpression' && Array.isArray(right.elements) && right.elements.length === 0;
    const isOne = type === 'AssignmentExpression' && isEmpty && isNode(left) && (syntax.around[index] ?? -1) >= 0;
    const isTaken = isOne && chainText(syntax, left).split('.').at(-1) === list;
    return isTaken && !isWorkedOff(syntax, list, start) ? [start] : [];
  });

/** `waiting.forEach(tell => tell(token)); waiting = [];` has told each of them: nothing is dropped. */
function isWorkedOff(syntax: Syntax, list: string, at: number): boolean {
  const home = functionAround(syntax, at);
  const isHere = (start: number) => start < at && functionAround(syntax, start) === home;
  const isList = (node: unknown) => isNode(node) && chainText(syntax, node).split('.').at(-1) === list;
  return (
    callSites(syntax.text).some(
      site => EACH.test(site.method) && site.callee.split('.').at(-2) === list && isHere(offsetOf(syntax, site)),
    ) || syntax.nodes.some(({ type, right, start }) => type === 'ForOfStatement' && isList(right) && isHere(start))
  );
}
