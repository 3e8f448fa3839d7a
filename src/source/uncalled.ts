import { functionName } from './names.js';
import {
  functionAround,
  isNode,
  isWithin,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** Where a function leaves without having told its callback. */
export interface Uncalled extends TextPosition {
  /** The callback's name: `done` of `(row, encoding, done) => …`. */
  readonly callback: string;
  /** The name of the function that was given the callback; what leaves may be a function within. */
  readonly owner: string;
}

/** What ends a request without its middleware's callback. */
const ANSWERS = /^(send\w*|end|json|jsonp|redirect|render|download|pipe|hijack|close|destroy|abort|status\w*Send)$/;
const FUNCTION = /Function/;

/**
 * Functions of a text whose last parameter is a callback, called by Node's custom (`done()`, `done(null, …)`), that some
 * way through them neither calls nor hands on: `if (!row) return;`, or a last `if` without an `else`.
 */
export function uncalledCallbacks(text: string): Uncalled[] {
  const syntax = syntaxOf(text);
  return syntax.functions.flatMap(index => {
    const node = syntax.nodes[index];
    return node ? ofFunction(syntax, node, functionName(syntax, index)) : [];
  });
}

function ofFunction(syntax: Syntax, owner: SyntaxNode, name: string): Uncalled[] {
  const params = Array.isArray(owner.params) ? owner.params.filter(isNode) : [];
  const last = params.at(-1);
  if (last?.type !== 'Identifier' || typeof last.name !== 'string') return [];
  const callback = last.name;
  const uses = syntax.nodes.filter(
    node => node.type === 'Identifier' && node.name === callback && node !== last && isWithin(node, owner),
  );
  const calls = syntax.nodes.filter(node => isCallOf(node, callback) && isWithin(node, owner));
  if (!calls.some(isByCustom)) return [];
  const others = params.slice(0, -1).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
  const way: Way = { syntax, owner, uses, others };
  const homes = new Set(calls.map(call => functionAround(syntax, call.start)));
  return [...homes].flatMap(home => {
    const node = syntax.nodes[home];
    const leaves = node && leavesIn(way, node);
    return leaves ? [{ callback, owner: name, ...positionOf(syntax, leaves.start) }] : [];
  });
}

interface Way {
  readonly syntax: Syntax;
  readonly owner: SyntaxNode;
  /** Where the callback is named. */
  readonly uses: readonly SyntaxNode[];
  /** The other parameters: a request and its answer, say. */
  readonly others: readonly string[];
}

const isCallOf = ({ type, callee }: SyntaxNode, name: string): boolean =>
  type === 'CallExpression' && isNode(callee) && callee.type === 'Identifier' && callee.name === name;

/** No error, or none yet: the first argument is missing, null or undefined. */
function isByCustom({ arguments: given }: SyntaxNode): boolean {
  const [first] = Array.isArray(given) ? given : [];
  if (!isNode(first)) return true;
  return (first.type === 'Literal' && first.value === null) || first.name === 'undefined';
}

function leavesIn(way: Way, home: SyntaxNode): SyntaxNode | undefined {
  const body = isNode(home.body) && Array.isArray(home.body.body) ? home.body.body.filter(isNode) : [];
  for (const statement of body) {
    const early = earlyReturn(way, home, statement);
    if (early) return early;
    if (statement.type !== 'IfStatement' && isUsed(way, statement)) return undefined;
  }
  const last = body.at(-1);
  return last && openEnded(way, last) ? last : undefined;
}

/** `if (…) { …; return; }` without a word to the callback. */
function earlyReturn(way: Way, home: SyntaxNode, statement: SyntaxNode): SyntaxNode | undefined {
  if (statement.type !== 'IfStatement' || !isNode(statement.consequent) || !isNode(statement.test)) return undefined;
  const { consequent, test } = statement;
  const leaves =
    consequent.type === 'BlockStatement' && Array.isArray(consequent.body) ? consequent.body.at(-1) : consequent;
  if (!isNode(leaves) || leaves.type !== 'ReturnStatement' || isUsed(way, consequent)) return undefined;
  return isOfInput(way, home, test) && !isSettled(way, consequent) ? leaves : undefined;
}

/** `if (kind) tell(null, kind);` at the end: otherwise nothing is told. */
function openEnded(way: Way, statement: SyntaxNode): boolean {
  if (statement.type !== 'IfStatement' || !isNode(statement.test) || !isNode(statement.consequent)) return false;
  if (!isUsed(way, statement.consequent)) return false;
  if (isNode(statement.alternate)) return openEnded(way, statement.alternate);
  return !isUsed(way, statement.test);
}

const isUsed = ({ uses }: Way, within: SyntaxNode): boolean => uses.some(use => isWithin(use, within));

/** Asked of what came in, and not of a flag that remembers an earlier call (`if (called) return;`). */
function isOfInput({ syntax, owner }: Way, home: SyntaxNode, test: SyntaxNode): boolean {
  const given = new Set([...paramsOf(owner), ...paramsOf(home)]);
  for (const { type, id, start } of syntax.nodes)
    if (type === 'VariableDeclarator' && isNode(id) && id.name && start >= owner.start && start < owner.end)
      given.add(String(id.name));
  const names = syntax.nodes.filter(node => node.type === 'Identifier' && isWithin(node, test));
  return names.some(({ name }) => given.has(String(name)) && !isFlag(syntax, String(name)));
}

function paramsOf({ params }: SyntaxNode): string[] {
  return Array.isArray(params)
    ? params.flatMap(param => (isNode(param) && param.name ? [String(param.name)] : []))
    : [];
}

const isFlag = (syntax: Syntax, name: string): boolean =>
  syntax.nodes.some(
    ({ type, left, right }) =>
      type === 'AssignmentExpression' &&
      isNode(left) &&
      left.name === name &&
      isNode(right) &&
      typeof right.value === 'boolean',
  );

/** Thrown, answered (`response.end()`), or left to somebody who is given the request (`deny(response)`). */
function isSettled({ syntax, others }: Way, block: SyntaxNode): boolean {
  const isOther = (node: unknown) => isNode(node) && others.includes(String(node.name));
  return syntax.nodes.some(node => {
    if (!isWithin(node, block)) return false;
    if (node.type === 'ThrowStatement' || FUNCTION.test(node.type)) return true;
    if (node.type !== 'CallExpression' || !isNode(node.callee)) return false;
    const { callee } = node;
    if (Array.isArray(node.arguments) && node.arguments.some(isOther)) return true;
    return isNode(callee.property) && ANSWERS.test(String(callee.property.name)) && namesOne(syntax, callee, others);
  });
}

const namesOne = (syntax: Syntax, inside: SyntaxNode, names: readonly string[]): boolean =>
  syntax.nodes.some(node => node.type === 'Identifier' && names.includes(String(node.name)) && isWithin(node, inside));
