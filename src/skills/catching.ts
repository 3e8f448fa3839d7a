import { type SyntaxNode, syntaxOf, type TextPosition } from '../source/syntax.js';

/** How the code around a position deals with what is thrown there. */
export interface Catch {
  /** 0-based position of the `catch` keyword. */
  readonly line: number;
  readonly column: number;
  /** True when the clause neither uses the error, nor calls anything, nor throws: the error is gone. */
  readonly ignores: boolean;
}

/** What in a catch clause may tell somebody of the error. */
const TELLING = new Set([
  'CallExpression',
  'NewExpression',
  'ThrowStatement',
  'AwaitExpression',
  'YieldExpression',
  'TaggedTemplateExpression',
]);

/** The innermost catch clause that receives what is thrown at a position of the running text; undefined when none does. */
export function catchAround(text: string, { line0, column0 }: TextPosition): Catch | undefined {
  const { nodes, lineStarts } = syntaxOf(text);
  const offset = (lineStarts[line0] ?? 0) + column0;
  let innermost: SyntaxNode | undefined;
  for (const node of nodes) {
    if (node.start > offset) break; // source order
    if (isFunction(node) && contains(node, offset)) innermost = undefined;
    if (node.type === 'TryStatement' && receives(node, offset)) innermost = node;
  }
  // Checked by `receives`.
  const handler = innermost?.handler as SyntaxNode | undefined;
  if (handler === undefined) return undefined;
  const line = lineAt(lineStarts, handler.start);
  return { line, column: handler.start - (lineStarts[line] ?? 0), ignores: ignoresError(handler, nodes) };
}

/** True when the text at the position is a throw statement or an explicit rejection: the program itself says no. */
export function isExplicitThrow(text: string, { line0, column0 }: TextPosition): boolean {
  const { lineStarts } = syntaxOf(text);
  const offset = (lineStarts[line0] ?? 0) + column0;
  return /^(?:throw\b|.{0,40}\breject\()/.test(text.slice(offset, offset + 60));
}

/** True when the call at the position is the operand of an await. */
export function isAwaited(text: string, { line0, column0 }: TextPosition): boolean {
  const offset = (syntaxOf(text).lineStarts[line0] ?? 0) + column0;
  return /\bawait\s+[\w$.?[\]]*$/.test(text.slice(Math.max(0, offset - 120), offset));
}

const contains = ({ start, end }: { readonly start: number; readonly end: number }, offset: number): boolean =>
  start <= offset && offset < end;

function receives(node: SyntaxNode, offset: number): boolean {
  const { block, handler } = node as { block?: SyntaxNode; handler?: SyntaxNode | null };
  return block !== undefined && handler !== null && handler !== undefined && contains(block, offset);
}

const isFunction = ({ type }: SyntaxNode): boolean =>
  type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';

function ignoresError(handler: SyntaxNode, nodes: readonly SyntaxNode[]): boolean {
  const param = handler.param as SyntaxNode | null | undefined;
  const name = param?.type === 'Identifier' ? param.name : undefined;
  if (param && name === undefined) return false; // destructured: it is looked at
  const body = handler.body as SyntaxNode;
  return !nodes.some(
    node =>
      contains(body, node.start) &&
      (TELLING.has(node.type) || (node.type === 'Identifier' && node.name === name && name !== undefined)),
  );
}

function lineAt(lineStarts: Uint32Array, offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
