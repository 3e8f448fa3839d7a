import { isNode, isWithin, offsetOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

const KEYED = /^(set|put|insert|register)$/;

/**
 * True for a promise whose end is put under a key (`open.set(id, { resolve, reject })`, `open[id] = resolve`): it waits for
 * an answer of its own, and not for its turn.
 */
export function isKeptByKey(text: string, position: TextPosition): boolean {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const made = syntax.nodes.filter(node => isPromise(node) && node.start <= offset && offset < node.end).at(-1);
  const [executor] = made && Array.isArray(made.arguments) ? made.arguments : [];
  if (!isNode(executor) || !Array.isArray(executor.params)) return false;
  const ends = new Set(executor.params.flatMap(param => (isNode(param) ? [param.name] : [])));
  return syntax.nodes.some(node => isWithin(node, executor) && isPutUnderKey(syntax, node, ends));
}

function isPutUnderKey(syntax: Syntax, node: SyntaxNode, ends: ReadonlySet<unknown>): boolean {
  const { type, callee, arguments: given, left, right } = node;
  if (type === 'AssignmentExpression')
    return isNode(left) && left.computed === true && isNode(right) && names(syntax, right, ends);
  if (type !== 'CallExpression' || !isNode(callee) || !isNode(callee.property) || !Array.isArray(given)) return false;
  const value = given[1];
  return KEYED.test(String(callee.property.name)) && isNode(value) && names(syntax, value, ends);
}

const names = (syntax: Syntax, inside: SyntaxNode, ends: ReadonlySet<unknown>): boolean =>
  syntax.nodes.some(node => node.type === 'Identifier' && isWithin(node, inside) && ends.has(node.name));

const isPromise = ({ type, callee }: SyntaxNode): boolean =>
  type === 'NewExpression' && isNode(callee) && callee.name === 'Promise';
