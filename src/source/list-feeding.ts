import { lastName } from './emptying.js';
import { feedersOf } from './feeders.js';
import { isNode, offsetOf, type SyntaxNode, syntaxOf } from './syntax.js';

/** `for (const id of ids) map.set(id, await load(id))`: the list whose items are the keys of `name`; undefined without one. */
export function listFeeding(text: string, name: string): string | undefined {
  const syntax = syntaxOf(text);
  const loops = syntax.nodes.filter(({ type }) => type === 'ForOfStatement');
  for (const feeder of loops.length > 0 ? feedersOf(text, name) : []) {
    const offset = offsetOf(syntax, feeder);
    const loop = loops.findLast(({ start, end }) => start <= offset && offset < end);
    const item = loop && itemOf(loop);
    const key = syntax.nodes.find(node => node.end > offset && keyOf(node, offset) !== undefined);
    if (loop && item !== undefined && key && keyOf(key, offset) === item) return lastName(loop.right);
  }
  return undefined;
}

function itemOf({ left }: SyntaxNode): string | undefined {
  const [first]: unknown[] = isNode(left) && Array.isArray(left.declarations) ? left.declarations : [];
  return isNode(first) ? lastName(first.id) : undefined;
}

/** `id` of `map.set(id, …)`, `set.add(id)` and `byId[id] = …` at the offset. */
function keyOf({ type, callee, arguments: args, left }: SyntaxNode, offset: number): string | undefined {
  if (type === 'CallExpression' && isNode(callee) && isNode(callee.property) && callee.property.start === offset)
    return Array.isArray(args) ? lastName(args[0]) : undefined;
  const isKeyed = type === 'AssignmentExpression' && isNode(left) && left.start === offset && left.computed === true;
  return isKeyed ? lastName(left.property) : undefined;
}
