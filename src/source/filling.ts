import { feedersOf } from './feeders.js';
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

/** Methods that call back once for each item. */
const PER_ITEM = /^(?:forEach|map|flatMap|filter|reduce|some|every)$/;

/**
 * The loop that alone fills the collection called `name`, where it comes to an end by itself and stands in the function
 * around a position: `for (const row of rows) { byId.set(row.id, row); await pause(); }`. Undefined where others fill it.
 */
export function fillingLoop(text: string, name: string, position: TextPosition): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const within = functionAround(syntax, offsetOf(syntax, position));
  const loops = feedersOf(text, name).map(feeder => loopAround(syntax, feeder, within));
  const [first] = loops;
  return first && loops.every(loop => loop !== undefined) ? positionOf(syntax, first.start) : undefined;
}

/** The outermost loop around a feeder within that function, where each of them comes to an end. */
function loopAround(syntax: Syntax, feeder: TextPosition, within: number): SyntaxNode | undefined {
  const offset = offsetOf(syntax, feeder);
  const inner = functionAround(syntax, offset);
  if (within < 0 || (inner !== within && !(isPerItem(syntax, inner) && syntax.around[inner] === within)))
    return undefined;
  const loops = syntax.nodes.filter(
    (node, index) =>
      syntax.around[index] === within &&
      node.start <= offset &&
      offset < node.end &&
      (LOOP.test(node.type) || isItemwise(node)),
  );
  return loops.every(comesToAnEnd) ? loops[0] : undefined;
}

const LOOP = /^(?:For|ForIn|ForOf|While|DoWhile)Statement$/;

function comesToAnEnd(node: SyntaxNode): boolean {
  const { type, test, await: waits } = node;
  if (type === 'ForStatement') return isNode(test) && test.type !== 'Literal';
  return type === 'ForInStatement' || (type === 'ForOfStatement' && waits !== true) || isItemwise(node);
}

/** `rows.forEach(…)` */
const isItemwise = ({ type, callee }: SyntaxNode): boolean =>
  type === 'CallExpression' && isNode(callee) && isNode(callee.property) && PER_ITEM.test(String(callee.property.name));

function isPerItem(syntax: Syntax, index: number): boolean {
  const call = syntax.nodes[syntax.parents[index] ?? -1];
  return call !== undefined && isItemwise(call);
}
