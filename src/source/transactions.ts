import { covers } from './release.js';
import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

const BEGINS = /^(begin|start)_?transaction$/i;
const ENDS = /^(commit|rollback|abort)_?(transaction)?$/i;
const BEGIN_TEXT = /^\s*(begin|start\s+transaction)\b/i;
const END_TEXT = /^\s*(commit|rollback|abort|end)\b/i;

/**
 * Where a transaction is begun that a way out of its function ends neither with COMMIT nor with ROLLBACK: the connection
 * then goes back to its pool with it, and what it has locked stays locked.
 */
export function openTransactions(text: string): TextPosition[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap((node, index) =>
    says(node, BEGINS, BEGIN_TEXT) && isLeftOpen(syntax, index) ? [positionOf(syntax, node.start)] : [],
  );
}

function isLeftOpen(syntax: Syntax, begin: number): boolean {
  const home = syntax.around[begin] ?? -1;
  const [from, until] = [syntax.nodes[begin]?.end ?? 0, syntax.nodes[home]?.end ?? 0];
  const inside = syntax.nodes.flatMap((node, index) => (node.start >= from && node.end <= until ? [index] : []));
  const ends = inside.filter(index => says(syntax.nodes[index], ENDS, END_TEXT));
  // Ended in a helper's callback or in a finally: on every way. Not ended here at all: that is somebody else's.
  if (home < 0 || ends.length === 0 || ends.some(index => isOnEveryWay(syntax, home, index))) return false;
  return inside.some(
    index =>
      isWayOut(syntax, home, index) &&
      syntax.around[index] === home &&
      !ends.some(end => covers({ syntax, function: home }, end, index)),
  );
}

/** A return, or an error thrown where nobody of the function catches it. */
function isWayOut(syntax: Syntax, home: number, index: number): boolean {
  const { type } = syntax.nodes[index] ?? {};
  if (type !== 'ThrowStatement') return type === 'ReturnStatement';
  return !isInPart(syntax, home, index, (outer, inner) => outer.handler && outer.block === inner);
}

function isOnEveryWay(syntax: Syntax, home: number, index: number): boolean {
  if (syntax.around[index] !== home) return true;
  return isInPart(syntax, home, index, (outer, inner) => outer.finalizer === inner);
}

/** True when one of the try statements around a node, within its function, has the node in the part asked for. */
function isInPart(
  syntax: Syntax,
  home: number,
  index: number,
  isPart: (outer: SyntaxNode, inner: SyntaxNode | undefined) => unknown,
): boolean {
  for (let at = index; at >= 0 && at !== home; at = syntax.parents[at] ?? -1) {
    const parent = syntax.nodes[syntax.parents[at] ?? -1];
    if (parent?.type === 'TryStatement' && isPart(parent, syntax.nodes[at])) return true;
  }
  return false;
}

/** `connection.beginTransaction()`, `client.query('BEGIN')`, `` sql`begin` ``. */
function says(node: SyntaxNode | undefined, method: RegExp, words: RegExp): boolean {
  if (node?.type === 'TaggedTemplateExpression') return words.test(textOf(node.quasi));
  if (node?.type !== 'CallExpression' || !isNode(node.callee)) return false;
  const { callee, arguments: given } = node;
  const name = isNode(callee.property) ? callee.property.name : callee.name;
  if (method.test(String(name ?? ''))) return true;
  return Array.isArray(given) && given.length > 0 && words.test(textOf(given[0]));
}

/** A literal's text; of a template what stands before its first hole. */
function textOf(node: unknown): string {
  if (!isNode(node)) return '';
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : '';
  const [first] = node.type === 'TemplateLiteral' && Array.isArray(node.quasis) ? node.quasis : [];
  return isNode(first) ? String((first.value as { readonly raw?: unknown } | undefined)?.raw ?? '') : ''; // by ESTree
}
