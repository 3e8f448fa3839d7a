import { lastName } from './emptying.js';
import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Where a collection loses entries once something that is counted beside it is too much. */
export interface CompanionCheck extends TextPosition {
  /** The limit as it is written: `3600`, `MOST`, `this.max`. */
  readonly limit: string;
}

const REMOVING = new Set(['delete', 'clear', 'shift', 'pop', 'splice']);
/** What is compared may be an age, which bounds no number. */
const AGE = /age|time|ms$|elapsed|delay|since|until|expir/i;

/** `if (order.length > MOST) byTime.delete(order.shift())`, `if (++count > MOST) list.pop()`: undefined without one. */
export function companionCheck(text: string, name: string): CompanionCheck | undefined {
  const syntax = syntaxOf(text);
  for (const node of syntax.nodes) {
    if (!/^(?:If|While)Statement$/.test(node.type) || !isNode(node.test)) continue;
    const limit = limitIn(syntax, node.test);
    const body = node.type === 'IfStatement' ? node.consequent : node.body;
    if (limit !== undefined && isNode(body) && removesIn(syntax, body, name))
      return { ...positionOf(syntax, node.start), limit };
  }
  return undefined;
}

function limitIn({ text }: Syntax, { type, operator, left, right }: SyntaxNode): string | undefined {
  if (type !== 'BinaryExpression' || (operator !== '>' && operator !== '>=')) return undefined;
  if (!isNode(left) || !isNode(right) || !isCounted(left)) return undefined;
  return text.slice(right.start, right.end);
}

/** `order.length`, `set.size`, `count`, `++this.count`. */
function isCounted(node: SyntaxNode): boolean {
  const counted = node.type === 'UpdateExpression' && isNode(node.argument) ? node.argument : node;
  const name = lastName(counted);
  return name !== undefined && !AGE.test(name);
}

const removesIn = ({ nodes }: Syntax, { start, end }: SyntaxNode, name: string): boolean =>
  nodes.some(
    ({ type, callee, ...at }) =>
      type === 'CallExpression' &&
      start <= at.start &&
      at.end <= end &&
      isNode(callee) &&
      callee.type === 'MemberExpression' &&
      REMOVING.has(lastName(callee.property) ?? '') &&
      lastName(callee.object) === name,
  );
