import type { CallSite } from './calls.js';
import { isNode, offsetOf, type Syntax, type SyntaxNode } from './syntax.js';

/** How libraries call giving back: client.release(), mutex.unlock(), pool.destroy(connection), done(). */
export const RELEASE =
  /^(release|unlock|free|done|put|giveback|return|relinquish|destroy|dispose|close|end|leave|signal|v)/i;

/** How libraries call taking: pool.connect(), mutex.acquire(), pool.getConnection(). */
export const ACQUIRE =
  /^(connect|acquire|lock|checkout|check_?out|reserve|borrow|take|obtain|get_?(connection|client|resource)|create_?query_?runner|(begin_?)?transaction|p|enter)$/i;

/** A transaction that is begun by itself keeps a connection until it is ended. */
const TRANSACTION = /transaction$/i;
const ENDS = /^(commit|rollback)$/i;

/** Something that was taken, and the function that holds it. */
export interface Held {
  readonly syntax: Syntax;
  readonly function: number;
  readonly from: number;
  /** The variable that holds what was acquired, and the object it was asked from. */
  readonly variable: string | undefined;
  readonly source: string;
  /** Methods that give it back. */
  readonly ends: RegExp;
  /** `(error, thing, done) => …`: it is held by a callback. */
  readonly callback?: { readonly error: string | undefined; readonly done: string | undefined };
}

/** Who holds what a call takes; undefined where it is handed on. */
export function heldBy(syntax: Syntax, site: CallSite): Held | undefined {
  const offset = offsetOf(syntax, site);
  const call = syntax.nodes.findIndex(node => node.type === 'CallExpression' && anchor(node) === offset);
  const node = syntax.nodes[call];
  if (!node || site.within < 0) return undefined;
  const source = site.callee.slice(0, site.callee.lastIndexOf('.'));
  const target = assigned(syntax, call);
  // A function that any other call is handed (a handler, a mapper) is handed nothing to give back.
  const called = !ACQUIRE.test(site.method)
    ? undefined
    : target === undefined
      ? heldByCallback(syntax, node, source)
      : target === 'elsewhere'
        ? heldByThen(syntax, call, source)
        : undefined;
  if (called) return called;
  // Handed on to whoever called: giving back is theirs.
  if (target === 'elsewhere') return undefined;
  const isTransaction = TRANSACTION.test(site.method);
  // What is given the work ends the transaction after it.
  if (isTransaction && (target === undefined || givenFunction(syntax, node, -1))) return undefined;
  const ends = isTransaction ? ENDS : RELEASE;
  return { syntax, function: site.within, from: node.end, variable: target, source, ends };
}

/** `pool.getConnection((error, connection) => …)`, `pool.connect((error, client, done) => …)` */
function heldByCallback(syntax: Syntax, call: SyntaxNode, source: string): Held | undefined {
  const given = givenFunction(syntax, call, -1);
  const [error, thing, done] = given?.names ?? [];
  if (!given || error === undefined || thing === undefined) return undefined;
  return {
    syntax,
    function: given.index,
    from: given.from,
    variable: thing,
    source,
    ends: RELEASE,
    callback: { error, done },
  };
}

/** `pool.acquire().then(connection => …)` */
function heldByThen(syntax: Syntax, call: number, source: string): Held | undefined {
  const member = syntax.parents[call] ?? -1;
  const then = syntax.nodes[syntax.parents[member] ?? -1];
  const property = syntax.nodes[member]?.property;
  const isThen = isNode(property) && property.name === 'then' && then?.type === 'CallExpression';
  const given = isThen ? givenFunction(syntax, then, 0) : undefined;
  const [thing] = given?.names ?? [];
  if (!given || thing === undefined) return undefined;
  const callback = { error: undefined, done: undefined };
  return { syntax, function: given.index, from: given.from, variable: thing, source, ends: RELEASE, callback };
}

/** A function that a call is handed, where its body begins, and what its parameters are called. */
function givenFunction(
  { functions, nodes }: Syntax,
  { arguments: given }: SyntaxNode,
  at: number,
): { readonly index: number; readonly from: number; readonly names: (string | undefined)[] } | undefined {
  const argument = Array.isArray(given) ? given.at(at) : undefined;
  const index = isNode(argument) ? functions.find(each => nodes[each] === argument) : undefined;
  if (index === undefined || !isNode(argument) || !isNode(argument.body)) return undefined;
  const params = argument.params as readonly SyntaxNode[]; // a function has them
  const names = params.map(({ type, name }) => (type === 'Identifier' ? String(name) : undefined));
  return { index, from: argument.body.start, names };
}

/** The variable's name; undefined when the result is dropped; `elsewhere` when somebody else gets it. */
function assigned(syntax: Syntax, call: number): string | undefined | 'elsewhere' {
  let at = syntax.parents[call] ?? -1;
  while (syntax.nodes[at]?.type === 'AwaitExpression') at = syntax.parents[at] ?? -1;
  const home = syntax.nodes[at];
  if (home?.type === 'ExpressionStatement') return undefined;
  const target =
    home?.type === 'VariableDeclarator' ? home.id : home?.type === 'AssignmentExpression' ? home.left : undefined;
  if (isNode(target) && target.type === 'Identifier') return String(target.name);
  if (isNode(target) && (target.type === 'ArrayPattern' || target.type === 'ObjectPattern'))
    return lastName(syntax, target);
  return 'elsewhere';
}

/** `const [value, release] = …`, `const { release } = …`: the name that gives back. */
function lastName(syntax: Syntax, pattern: SyntaxNode): string | 'elsewhere' {
  const names = syntax.nodes.filter(
    node => node.type === 'Identifier' && node.start >= pattern.start && node.end <= pattern.end,
  );
  return String(names.find(node => RELEASE.test(String(node.name)))?.name ?? 'elsewhere');
}

function anchor(call: SyntaxNode): number {
  const { callee } = call;
  if (!isNode(callee)) return -1;
  return callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property.start : callee.start;
}
