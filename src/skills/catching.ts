import { type SyntaxNode, syntaxOf, type TextPosition } from '../source/syntax.js';

/** How the code around a position deals with what is thrown there. */
export interface Catch {
  /** 0-based position of the `catch` keyword. */
  readonly line: number;
  readonly column: number;
  /** True when the clause neither uses the error, nor calls anything, nor throws: the error is gone. */
  readonly ignores: boolean;
  /** True when nobody is told of the error and what failed is put back, to be taken again. */
  readonly putsBack: boolean;
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
  const column = handler.start - (lineStarts[line] ?? 0);
  return { line, column, ignores: ignoresError(handler, nodes), putsBack: putsBack(handler, nodes) };
}

/** True when the innermost function around the position is async: what is thrown in it becomes a rejection. */
export function isAsyncAt(text: string, { line0, column0 }: TextPosition): boolean {
  const { nodes, lineStarts } = syntaxOf(text);
  const offset = (lineStarts[line0] ?? 0) + column0;
  return nodes.filter(node => isFunction(node) && contains(node, offset)).at(-1)?.async === true;
}

/** True when the text at the position is a throw statement or an explicit rejection: the program itself says no. */
export function isExplicitThrow(text: string, { line0, column0 }: TextPosition): boolean {
  const { lineStarts } = syntaxOf(text);
  const offset = (lineStarts[line0] ?? 0) + column0;
  return /^(?:throw\b|.{0,40}\breject\()/.test(text.slice(offset, offset + 60));
}

/** True when the position stands before an explicit rejection, `Promise.reject(…)` or `reject(…)`. */
export function isRejectedAt(text: string, { line0, column0 }: TextPosition): boolean {
  const offset = (syntaxOf(text).lineStarts[line0] ?? 0) + column0;
  return /^.{0,40}\breject\(/.test(text.slice(offset, offset + 60));
}

/** The handler of a rejection in the very expression: `store(x).catch(() => {})`; undefined where there is none. */
export function catchChained(text: string, { line0, column0 }: TextPosition): Catch | undefined {
  const { nodes, lineStarts } = syntaxOf(text);
  const offset = (lineStarts[line0] ?? 0) + column0;
  const home = nodes.filter(node => isFunction(node) && contains(node, offset)).at(-1);
  const awaited = nodes.find(node => node.type === 'AwaitExpression' && node.start === offset)?.argument;
  const call = nodes.findLast(node => {
    const callee = calleeOf(node);
    if (callee?.method !== 'catch' || node.start < (home?.start ?? 0)) return false;
    return node === awaited || contains((node.callee as SyntaxNode).object as SyntaxNode, offset);
  });
  const [handler] = (call?.arguments ?? []) as readonly SyntaxNode[];
  if (!call || !handler || !isFunction(handler)) return undefined;
  const line = lineAt(lineStarts, handler.start);
  const clause = { body: handler.body, param: (handler.params as readonly SyntaxNode[])[0] };
  const ignores = ignoresError(clause as unknown as SyntaxNode, nodes); // as a catch clause has them
  return { line, column: handler.start - (lineStarts[line] ?? 0), ignores, putsBack: false };
}

/** True when the call at the position is the operand of an await, or the await itself stands there. */
export function isAwaited(text: string, { line0, column0 }: TextPosition): boolean {
  const offset = (syntaxOf(text).lineStarts[line0] ?? 0) + column0;
  if (text.startsWith('await', offset)) return true;
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

/** `queue.push(job)` and `client.rPush(list, entry)` where work is taken from the same; `setTimeout(run, 100, job)`. */
const PUT_BACK = /push$|unshift$|^(re)?(queue|enqueue|try|schedule|submit|publish|add|put|insert)$/i;
const TAKE = /shift$|pop\w*$|^(splice|dequeue|take|next|poll|receive|reserve|fetch|claim)$/i;
const AGAIN = /^(setTimeout|setImmediate|nack|requeue)$/;

function putsBack(handler: SyntaxNode, nodes: readonly SyntaxNode[]): boolean {
  const body = handler.body as SyntaxNode;
  const inside = nodes.filter(node => contains(body, node.start));
  const name = (handler.param as SyntaxNode | null | undefined)?.name;
  if (handler.param ? name === undefined || inside.some(node => isNamed(node, name)) : false) return false;
  const home = nodes.filter(node => isFunction(node) && contains(node, handler.start)).at(-1);
  const taken = nodes
    .filter(node => home === undefined || contains(home, node.start))
    .flatMap(node => calleeOf(node) ?? [])
    .filter(({ method }) => TAKE.test(method));
  return inside.some(node => {
    const callee = calleeOf(node);
    if (!callee) return false;
    return AGAIN.test(callee.method) || (PUT_BACK.test(callee.method) && taken.some(({ of }) => of === callee.of));
  });
}

/** `queue` and `push` of `this.queue.push(…)`. */
function calleeOf({ type, callee }: SyntaxNode): { readonly of: string; readonly method: string } | undefined {
  const called = type === 'CallExpression' ? (callee as SyntaxNode) : undefined;
  if (called?.type === 'Identifier') return { of: '', method: String(called.name) };
  if (called?.type !== 'MemberExpression') return undefined;
  const object = called.object as SyntaxNode;
  const name = object.type === 'MemberExpression' ? (object.property as SyntaxNode).name : object.name;
  return { of: String(name), method: String((called.property as SyntaxNode).name) };
}

const isNamed = (node: SyntaxNode, name: unknown): boolean => node.type === 'Identifier' && node.name === name;

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
