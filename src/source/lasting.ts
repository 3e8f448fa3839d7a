import { emptyingsOf } from './emptying.js';
import { feedersOf } from './feeders.js';
import type { Keeping } from './keeping.js';
import { enclosingFunction } from './names.js';
import { isNode, isWithin, offsetOf, positionOf, type Syntax, type SyntaxNode, syntaxOf } from './syntax.js';

/** A collection that a loop without an end fills, in a variable that nothing outside of the function sees. */
export interface LastingLocal extends Keeping {
  readonly how: 'local';
  readonly name: string;
}

/** Every such variable: `const seen = new Set(); for await (const m of feed) seen.add(m.id)`, where nothing takes out again. */
export function lastingLocals(text: string): LastingLocal[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap((node, index) => {
    const around = syntax.nodes[syntax.around[index] ?? -1];
    if (!around?.async || !isEndless(syntax, node, index)) return [];
    return localsBefore(syntax, node, index)
      .filter(one => isFilledOnly(syntax, one, node, around))
      .map(one => localAt(syntax, one));
  });
}

/** `for await`, or a loop other than over a list that awaits by itself. */
function isEndless(syntax: Syntax, loop: SyntaxNode, index: number): boolean {
  if (loop.type === 'ForOfStatement') return loop.await === true;
  if (!/^(?:For|While|DoWhile)Statement$/.test(loop.type)) return false;
  const around = syntax.around[index];
  return syntax.nodes.some(
    (node, at) => node.type === 'AwaitExpression' && syntax.around[at] === around && isWithin(node, loop),
  );
}

/** Declared empty in the same function, above the loop. */
const localsBefore = (syntax: Syntax, loop: SyntaxNode, index: number): SyntaxNode[] =>
  syntax.nodes.filter(
    (node, at) =>
      node.type === 'VariableDeclarator' &&
      syntax.around[at] === syntax.around[index] &&
      node.end <= loop.start &&
      isNode(node.id) &&
      node.id.type === 'Identifier' &&
      isEmptyCollection(node.init),
  );

function isEmptyCollection(node: unknown): boolean {
  if (!isNode(node)) return false;
  const { elements, properties, callee } = node;
  if (node.type === 'NewExpression') return isNode(callee) && /^(?:Map|Set|Array)$/.test(String(callee.name));
  return [elements, properties].some(list => Array.isArray(list) && list.length === 0);
}

/** The loop adds to it, nothing in the function takes out, and nobody waits for it behind the loop. */
function isFilledOnly(syntax: Syntax, { id }: SyntaxNode, loop: SyntaxNode, around: SyntaxNode): boolean {
  const name = nameOf(id);
  const isIn = (at: Parameters<typeof offsetOf>[1], outer: SyntaxNode) => {
    const offset = offsetOf(syntax, at);
    return outer.start <= offset && offset < outer.end;
  };
  if (!feedersOf(syntax.text, name).some(feeder => isIn(feeder, loop))) return false;
  if (emptyingsOf(syntax.text, name).some(one => isIn(one, around))) return false;
  return !syntax.nodes.some(
    node => node.type === 'Identifier' && node.name === name && node.start >= loop.end && node.end <= around.end,
  );
}

function localAt(syntax: Syntax, { id, start }: SyntaxNode): LastingLocal {
  const at = positionOf(syntax, start);
  const around = enclosingFunction(syntax.text, at.line0, at.column0);
  const name = nameOf(id);
  return {
    ...at,
    how: 'local',
    name,
    code: feedersOf(syntax.text, name)[0]?.code ?? '',
    ...(around && { function: around.name, around: { line0: around.line0, column0: around.column0 } }),
  };
}

const nameOf = (id: unknown): string => (isNode(id) ? String(id.name) : '');
