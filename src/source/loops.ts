import { isNode, offsetOf, type Syntax, syntaxOf } from './syntax.js';

const LOOPS = /^(For|ForIn|ForOf|While|DoWhile)Statement$/;
/** Methods that call back once per item. */
const PER_ITEM = /^(map|forEach|reduce|reduceRight|filter|flatMap|some|every|each|eachSeries|mapSeries|times)$/;

/** True when a 0-based position stands in a loop, or in a callback called once per item, of its own function. */
export function isInLoop(text: string, line0: number, column0: number): boolean {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, { line0, column0 });
  for (let at = innermost(syntax, offset); at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node && LOOPS.test(node.type)) return true;
    if (node && syntax.functions.includes(at)) return isPerItem(syntax, at);
  }
  return false;
}

function innermost(syntax: Syntax, offset: number): number {
  let found = -1;
  syntax.nodes.forEach((node, index) => {
    // Nodes stand in source order, parents first: the last one that contains the offset is the innermost.
    if (node.start <= offset && offset < node.end) found = index;
  });
  return found;
}

function isPerItem(syntax: Syntax, index: number): boolean {
  const parent = syntax.nodes[syntax.parents[index] ?? -1];
  if (parent?.type !== 'CallExpression' || !isNode(parent.callee) || parent.callee.type !== 'MemberExpression')
    return false;
  const { property } = parent.callee;
  return isNode(property) && PER_ITEM.test(String(property.name));
}
