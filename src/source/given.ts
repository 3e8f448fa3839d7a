import { functionName } from './names.js';
import {
  functionAround,
  isNode,
  isWithin,
  offsetOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** A call that gets a function: `bus.on('tick', onTick)`, `setTimeout(() => …, 50)`. */
export interface Giving extends TextPosition {
  /** The callee's last name: `on`, `setTimeout`. */
  readonly how: string;
}

/**
 * Calls that get the function at a position, as it is written there or by its name, in source order. Those within it are
 * left out: a timer's callback that starts its timer again adds none. Names are compared, not scopes.
 */
export function givingsOf(text: string, position: TextPosition): Giving[] {
  const syntax = syntaxOf(text);
  const index = functionAround(syntax, offsetOf(syntax, position));
  const given = syntax.nodes[index];
  if (!given) return [];
  const name = functionName(syntax, index).split('.').at(-1) ?? '';
  return syntax.nodes.flatMap(node => {
    const isOutside = node.type === 'CallExpression' && !isWithin(node, given);
    const args: unknown[] = isOutside && Array.isArray(node.arguments) ? node.arguments : [];
    return args.some(argument => isMeant(argument, given, name)) ? givingAt(syntax, node) : [];
  });
}

function givingAt(syntax: Syntax, { callee }: SyntaxNode): Giving[] {
  if (!isNode(callee)) return [];
  const last = callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property : callee;
  return last.type === 'Identifier' ? [{ ...positionOf(syntax, last.start), how: String(last.name) }] : [];
}

/** The function itself, `poll`, `this.poll`, or one of those bound. */
function isMeant(argument: unknown, given: SyntaxNode, name: string): boolean {
  if (!isNode(argument)) return false;
  if (argument === given) return true;
  const bound = argument.type === 'CallExpression' && isNode(argument.callee) ? argument.callee : undefined;
  if (bound) return isNode(bound.property) && bound.property.name === 'bind' && isMeant(bound.object, given, name);
  const last = argument.type === 'MemberExpression' && !argument.computed ? argument.property : argument;
  return isNode(last) && last.type === 'Identifier' && last.name === name;
}
