import { chainText, namesIn, textOf } from './names.js';
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

/** A list that is searched for the one entry with a key: `users.find(user => user.id === id)`. */
export interface Lookup extends TextPosition {
  /** The list: `this.users`. */
  readonly what: string;
  readonly code: string;
  /** The function around the position is its condition. */
  readonly isAround: boolean;
}

const FINDING = /^(.+)\.(?:find|findIndex|findLast|findLastIndex|some)$/;

/**
 * The searches in the function around a position that a Map would spare, and the one that the function itself is the
 * condition of. A list of the function's own is none: it may be searched only once.
 */
export function lookups(text: string, position: TextPosition): Lookup[] {
  const syntax = syntaxOf(text);
  const own = functionAround(syntax, offsetOf(syntax, position));
  const found = syntax.nodes.flatMap((node, index) => {
    const [, what] =
      node.type === 'CallExpression' && isNode(node.callee) ? (FINDING.exec(chainText(syntax, node.callee)) ?? []) : [];
    const condition = Array.isArray(node.arguments) ? node.arguments[0] : undefined;
    if (what === undefined || !isNode(condition) || !isByKey(syntax, condition)) return [];
    const around = syntax.around[index] ?? -1;
    const isMeant = around === own || condition === syntax.nodes[own];
    return isMeant && !isOwn(syntax, around, what)
      ? [
          {
            what,
            code: textOf(syntax, node),
            isAround: condition === syntax.nodes[own],
            ...positionOf(syntax, propertyOf(node)),
          },
        ]
      : [];
  });
  return found;
}

const propertyOf = ({ callee, start }: SyntaxNode): number =>
  isNode(callee) && isNode(callee.property) ? callee.property.start : start;

/** `user => user.id === id`: a part of the entry is what it is compared with. */
function isByKey(syntax: Syntax, condition: SyntaxNode): boolean {
  const [param] = Array.isArray(condition.params) ? condition.params.filter(isNode) : [];
  const test = resultOf(condition.body);
  if (!param || test?.type !== 'BinaryExpression' || !/^={2,3}$/.test(String(test.operator))) return false;
  const names = namesIn(syntax, param);
  const sides = [test.left, test.right]
    .filter(isNode)
    .map(side => namesIn(syntax, side).some(name => names.includes(name)));
  return sides.filter(Boolean).length === 1 && !/\(/.test(textOf(syntax, test));
}

function resultOf(body: unknown): SyntaxNode | undefined {
  if (!isNode(body) || body.type !== 'BlockStatement') return isNode(body) ? body : undefined;
  const [only, more] = Array.isArray(body.body) ? body.body.filter(isNode) : [];
  return only?.type === 'ReturnStatement' && more === undefined && isNode(only.argument) ? only.argument : undefined;
}

/** A parameter or a variable of the function, however it came by it. */
function isOwn(syntax: Syntax, own: number, what: string): boolean {
  const root = /^[\w$]+/.exec(what)?.[0];
  if (what.startsWith('this.') || root === undefined || own === -1) return root === undefined;
  const handed = syntax.nodes[own]?.params;
  const given = Array.isArray(handed) ? handed.filter(isNode).flatMap(param => namesIn(syntax, param)) : [];
  const declared = syntax.nodes.some(
    ({ type, id }, index) =>
      type === 'VariableDeclarator' && syntax.around[index] === own && isNode(id) && namesIn(syntax, id).includes(root),
  );
  return declared || given.includes(root);
}
