import { isEmpty, lastName } from './emptying.js';
import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/**
 * Where one of the collections in the array `name` begins anew when its turn comes again: `slots[at] = new Map()` or
 * `slots[at].clear()` with an index that goes round (`at = (at + 1) % slots.length`). Undefined without one.
 */
export function slotReset(text: string, name: string): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const found = syntax.nodes.find(node => {
    const slot = resetSlot(node);
    return slot !== undefined && lastName(slot.object) === name && goesRound(syntax, slot.property);
  });
  return found && positionOf(syntax, found.start);
}

/** `slots[at]` of `slots[at] = []`, `slots[at].clear()` and `slots[at].length = 0`. */
function resetSlot({ type, operator, left, right, callee }: SyntaxNode): SyntaxNode | undefined {
  if (type === 'AssignmentExpression' && operator === '=' && isNode(left) && isNode(right)) {
    const target = lastName(left) === 'length' ? left.object : isEmpty(right) ? left : undefined;
    return isSlot(target) ? target : undefined;
  }
  if (type !== 'CallExpression' || !isNode(callee) || lastName(callee) !== 'clear') return undefined;
  return isSlot(callee.object) ? callee.object : undefined;
}

const isSlot = (node: unknown): node is SyntaxNode =>
  isNode(node) && node.type === 'MemberExpression' && node.computed === true;

/** The index is a remainder, or a variable that is set to one. */
function goesRound(syntax: Syntax, index: unknown): boolean {
  if (!isNode(index)) return false;
  if (hasRemainder(syntax, index)) return true;
  const name = lastName(index);
  return name !== undefined && syntax.nodes.some(node => isSetTo(node, name, value => hasRemainder(syntax, value)));
}

function isSetTo(node: SyntaxNode, name: string, fits: (value: SyntaxNode) => boolean): boolean {
  const [target, value] = node.type === 'VariableDeclarator' ? [node.id, node.init] : [node.left, node.right];
  if (node.type !== 'VariableDeclarator' && node.type !== 'AssignmentExpression') return false;
  return lastName(target) === name && isNode(value) && fits(value);
}

const hasRemainder = ({ text }: Syntax, { start, end }: SyntaxNode): boolean => text.slice(start, end).includes('%');
