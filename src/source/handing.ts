import { lastName } from './emptying.js';
import { isNode, offsetOf, positionOf, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A call that is given something by its name: `keepLast(list, 80)`. */
export interface Handing extends TextPosition {
  readonly callee: string;
  /** Which argument it is, from 0. */
  readonly argument: number;
}

/** Calls of plain functions that get what is called `name`, between two offsets of a text. */
export function handingsOf(text: string, name: string, from = 0, to = text.length): Handing[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap(node => {
    const { callee } = node;
    const isCall = node.type === 'CallExpression' && from <= node.start && node.end <= to;
    if (!isCall || !isNode(callee) || callee.type !== 'Identifier' || !Array.isArray(node.arguments)) return [];
    const argument = node.arguments.findIndex(one => isNode(one) && one.type === 'Identifier' && one.name === name);
    return argument < 0 ? [] : [{ ...positionOf(syntax, node.start), callee: String(callee.name), argument }];
  });
}

/** The text of the function whose name stands at a position, and what it calls an argument; undefined for other names. */
export function parameterAt(
  text: string,
  position: TextPosition,
  argument: number,
): { readonly text: string; readonly name: string } | undefined {
  const syntax = syntaxOf(text);
  const [name] = /^[\w$]+/.exec(text.slice(offsetOf(syntax, position))) ?? [];
  const made = syntax.nodes.map(node => functionCalled(node, name)).find(one => one !== undefined);
  const parameter: unknown = Array.isArray(made?.params) ? made.params[argument] : undefined;
  if (!made || !isNode(parameter) || parameter.type !== 'Identifier') return undefined;
  return { text: text.slice(made.start, made.end), name: String(parameter.name) };
}

/** `function keepLast(list) {}`, `const keepLast = list => {}`, `exports.keepLast = function (list) {}` */
function functionCalled(node: SyntaxNode, name: string | undefined): SyntaxNode | undefined {
  const { type, id, init, left, right } = node;
  const [target, made] =
    type === 'VariableDeclarator' ? [id, init] : type === 'AssignmentExpression' ? [left, right] : [id, node];
  if (!isNode(target) || !isNode(made) || !/Function/.test(made.type)) return undefined;
  return lastName(target) === name ? made : undefined;
}
