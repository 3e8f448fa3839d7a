import { enclosingFunction, functionName } from './names.js';
import {
  isNode,
  lineText,
  parentOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** A line that makes an object refer to another one by a property. */
export interface Link extends TextPosition {
  readonly code: string;
  readonly function?: string;
}

/**
 * `this.parent = parent` in class `owner`, `new Owner({ parent: current })`, or `{ parent: current }` for an object
 * without a class: where a chain of objects over `property` gets its links.
 */
export function linksOf(text: string, property: string, owner: string): Link[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap((node, index) => {
    const isLink = assigns(node, property)
      ? isIn(syntax, index, owner)
      : lists(node, property) && (owner === 'Object' || isGivenTo(parentOf(syntax, index), owner));
    if (!isLink) return [];
    const position = positionOf(syntax, node.start);
    const around = enclosingFunction(text, position.line0, position.column0)?.name;
    const code = lineText(text, position.line0).trim().slice(0, 160);
    return [{ ...position, code, ...(around !== undefined && { function: around }) }];
  });
}

/** Where a chain over `property` is cut: `at.before = undefined`, `delete node.next`. Constructors begin with none. */
export function cutOf(text: string, property: string): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const found = syntax.nodes.find((node, index) => cuts(node, property) && !isBeginning(syntax, index));
  return found && positionOf(syntax, found.start);
}

function cuts(node: SyntaxNode, property: string): boolean {
  const { type, operator, argument, right } = node;
  if (type === 'UnaryExpression') return operator === 'delete' && isNode(argument) && isPropertyOf(argument, property);
  return assigns(node, property) && isNothing(right);
}

const isBeginning = (syntax: Syntax, index: number): boolean =>
  /^(?:new .*|constructor)$/.test(functionName(syntax, syntax.around[index] ?? -1));

function assigns({ type, left }: SyntaxNode, property: string): boolean {
  return type === 'AssignmentExpression' && isNode(left) && isPropertyOf(left, property);
}

const isPropertyOf = ({ type, computed, property: key }: SyntaxNode, name: string): boolean =>
  type === 'MemberExpression' && !computed && isNode(key) && key.name === name;

/** In an object that is made, not in a pattern that takes one apart. */
const lists = ({ type, properties }: SyntaxNode, property: string): boolean =>
  type === 'ObjectExpression' &&
  Array.isArray(properties) &&
  properties.some(one => isNode(one) && isNode(one.key) && one.key.name === property && !isNothing(one.value));

const isNothing = (node: unknown): boolean => isNode(node) && (node.value === null || node.name === 'undefined');

const isGivenTo = (above: SyntaxNode | undefined, owner: string): boolean =>
  above?.type === 'NewExpression' && isNode(above.callee) && above.callee.name === owner;

/** Within the class of that name. */
function isIn(syntax: Syntax, index: number, owner: string): boolean {
  for (let at = syntax.parents[index] ?? -1; at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node?.type === 'ClassDeclaration' || node?.type === 'ClassExpression')
      return isNode(node.id) && node.id.name === owner;
  }
  return false;
}
