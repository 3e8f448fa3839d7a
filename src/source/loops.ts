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

const LOOPS = /^(For|ForIn|ForOf|While|DoWhile)Statement$/;
/** Methods that call back once per item. */
const PER_ITEM = /^(map|forEach|reduce|reduceRight|filter|flatMap|some|every|each|eachSeries|mapSeries|times)$/;

/** True when a 0-based position stands in a loop, in a callback called once per item, or in a function that calls itself. */
export function isInLoop(text: string, line0: number, column0: number): boolean {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, { line0, column0 });
  for (let at = innermost(syntax, offset); at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node && LOOPS.test(node.type)) return true;
    if (node && syntax.functions.includes(at)) return isPerItem(syntax, at) || callsItself(syntax, at);
  }
  return false;
}

/** The first `await` within a loop of the function around a position: it runs once a round. */
export function awaitInLoop(text: string, position: TextPosition): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const home = functionAround(syntax, offsetOf(syntax, position));
  const found = syntax.nodes.findIndex((node, index) => {
    if (node.type !== 'AwaitExpression' || syntax.around[index] !== home) return false;
    for (let at = syntax.parents[index] ?? -1; at > home; at = syntax.parents[at] ?? -1)
      if (LOOPS.test(syntax.nodes[at]?.type ?? '')) return true;
    return false;
  });
  return found < 0 ? undefined : positionOf(syntax, syntax.nodes[found]?.start ?? 0);
}

/** True when each turn of the loop around a position asks with what the turn before was told: a cursor, the next page. */
export function isChained(text: string, line0: number, column0: number): boolean {
  const syntax = syntaxOf(text);
  let asked: SyntaxNode | undefined;
  for (let at = innermost(syntax, offsetOf(syntax, { line0, column0 })); at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (!node || /^For(In|Of)/.test(node.type) || syntax.functions.includes(at)) return false;
    if (node.type === 'AwaitExpression') asked = node;
    if (LOOPS.test(node.type)) return asked !== undefined && isCarriedOver(syntax, node, asked);
  }
  return false;
}

/** A variable of the question is set anew in the loop, and not by counting it on. */
function isCarriedOver(syntax: Syntax, loop: SyntaxNode, asked: SyntaxNode): boolean {
  const namesIn = (outer: SyntaxNode): Set<unknown> =>
    new Set(syntax.nodes.flatMap(node => (node.type === 'Identifier' && isWithin(node, outer) ? [node.name] : [])));
  const used = namesIn(asked);
  return syntax.nodes.some(node => {
    const { left, right } = node;
    const isSet = node.type === 'AssignmentExpression' && node.operator === '=' && isWithin(node, loop);
    if (!isSet || !isNode(left) || !isNode(right)) return false;
    const counted = isWithin(asked, right) ? new Set() : namesIn(right);
    return [...namesIn(left)].some(name => used.has(name) && !counted.has(name));
  });
}

/** `next(i + 1)` at the end of `next`: recursion over a list is a loop too. */
function callsItself(syntax: Syntax, index: number): boolean {
  const own = syntax.nodes[index];
  const parent = syntax.nodes[syntax.parents[index] ?? -1];
  const named = isNode(own?.id) ? own.id : parent?.type === 'VariableDeclarator' ? parent.id : undefined;
  const name = isNode(named) ? named.name : undefined;
  if (!own || name === undefined) return false;
  return syntax.nodes.some(
    ({ type, start, callee }) =>
      type === 'CallExpression' && start >= own.start && start < own.end && isNode(callee) && callee.name === name,
  );
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
