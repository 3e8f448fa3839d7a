import {
  functionAround,
  isNode,
  offsetOf,
  parentOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** Calls of the file's own functions that are followed. */
const DEPTH = 6;
/** Read the world or a hidden state: what they give differs from call to call. */
const CHANGING = new Set(['Date', 'process', 'globalThis', 'global', 'performance', 'crypto', 'arguments', 'eval']);
const RANDOM = /\b(?:Math\.random|randomBytes|randomUUID|random|nanoid|uuid(?:v[1-7])?)\s*\(/;
/** What only calculates is a value whoever provides it; these of Node's own modules read or do something. */
const DOING =
  /^(?:node:)?(?:fs|net|http|https|http2|dns|child_process|worker_threads|cluster|dgram|tls|os|async_hooks)(?:\/|$)/;

/**
 * True when the function defined around a position gives the same result for the same arguments as far as its text tells:
 * it uses nothing but its parameters, its own variables, constants and functions of the file that are like it, and packages.
 */
export function isDeterministic(text: string, position: TextPosition): boolean {
  const syntax = syntaxOf(text);
  const index = functionAround(syntax, offsetOf(syntax, position));
  return syntax.parsed && index >= 0 && isPure(syntax, index, DEPTH, new Set());
}

function isPure(syntax: Syntax, index: number, depth: number, seen: Set<number>): boolean {
  if (seen.has(index)) return true;
  seen.add(index);
  const root = syntax.nodes[index];
  if (!root || depth === 0 || root.async === true || root.generator === true) return false;
  if (RANDOM.test(syntax.text.slice(root.start, root.end))) return false;
  const inside = nodesWithin(syntax, index, root);
  if (inside.some(({ type }) => type === 'ThisExpression' || type === 'AwaitExpression' || type === 'Super'))
    return false;
  const own = new Set(inside.flatMap((node, i) => (isBinding(syntax, index + i, node) ? String(node.name) : [])));
  const free = inside.filter(
    (node, i) => node.type === 'Identifier' && isRead(syntax, index + i) && !own.has(String(node.name)),
  );
  if (inside.some(node => assignsTo(node, own))) return false;
  return [...new Set(free.map(node => String(node.name)))].every(name => isConstant(syntax, name, depth, seen));
}

/** Nodes are in source order, so those within a function follow it. */
function nodesWithin(syntax: Syntax, index: number, root: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let at = index; at < syntax.nodes.length; at++) {
    const node = syntax.nodes[at];
    if (!node || node.start >= root.end) break;
    found.push(node);
  }
  return found;
}

/** The name of a parameter, variable or function of its own. */
function isBinding(syntax: Syntax, index: number, node: SyntaxNode): boolean {
  if (node.type !== 'Identifier') return false;
  let child = index;
  for (let at = syntax.parents[index] ?? -1; at !== -1; at = syntax.parents[at] ?? -1) {
    const parent = syntax.nodes[at];
    if (!parent) return false;
    if (/Function/.test(parent.type)) return isListed(parent.params, syntax.nodes[child]) || parent.id === node;
    if (parent.type === 'VariableDeclarator') return parent.id === syntax.nodes[child];
    if (parent.type === 'CatchClause') return parent.param === syntax.nodes[child];
    if (parent.type === 'Property' && parent.value !== syntax.nodes[child]) return false;
    if (parent.type === 'AssignmentPattern' && parent.left !== syntax.nodes[child]) return false;
    if (!/Pattern$|^Property$|^RestElement$/.test(parent.type)) return false;
    child = at;
  }
  return false;
}

const isListed = (list: unknown, node: SyntaxNode | undefined): boolean => Array.isArray(list) && list.includes(node);

/** Not the name after a dot, nor a key. */
function isRead(syntax: Syntax, index: number): boolean {
  const node = syntax.nodes[index];
  const parent = parentOf(syntax, index);
  if (parent?.type === 'MemberExpression') return parent.object === node || parent.computed === true;
  if (parent?.type === 'Property') return parent.value === node || parent.computed === true;
  return true;
}

/** Writes to something that was there before. */
function assignsTo(node: SyntaxNode, own: ReadonlySet<string>): boolean {
  const target =
    node.type === 'AssignmentExpression' ? node.left : node.type === 'UpdateExpression' ? node.argument : undefined;
  const root = isNode(target) ? rootOf(target) : undefined;
  return root !== undefined && !own.has(root);
}

function rootOf(node: SyntaxNode): string | undefined {
  if (node.type === 'Identifier') return String(node.name);
  if (node.type === 'MemberExpression' && isNode(node.object)) return rootOf(node.object) ?? '';
  return node.type === 'MemberExpression' ? '' : undefined;
}

/** A name of the file's top level that never changes, or one of the language. */
function isConstant(syntax: Syntax, name: string, depth: number, seen: Set<number>): boolean {
  if (CHANGING.has(name)) return false;
  const at = syntax.nodes.findIndex(
    (node, index) => node.type === 'Identifier' && node.name === name && isTopLevel(syntax, index),
  );
  if (at < 0) return name in globalThis || name === 'undefined';
  const parent = parentOf(syntax, at);
  if (parent?.type === 'FunctionDeclaration') return isPure(syntax, syntax.parents[at] ?? -1, depth - 1, seen);
  if (/^Import/.test(parent?.type ?? '')) return isPackage(importedFrom(syntax, at));
  const declarator = declaratorOf(syntax, at);
  const value = declarator?.init;
  if (!isNode(value)) return false;
  if (/Function/.test(value.type)) return isPure(syntax, syntax.nodes.indexOf(value), depth - 1, seen);
  return /^(Literal|TemplateLiteral)$/.test(value.type) || isPackage(required(syntax, value));
}

function isTopLevel(syntax: Syntax, index: number): boolean {
  const parent = parentOf(syntax, index);
  if (/^Import/.test(parent?.type ?? '')) return true;
  if (parent?.type === 'FunctionDeclaration')
    return parent.id === syntax.nodes[index] && (syntax.around[syntax.parents[index] ?? 0] ?? -1) === -1;
  const declarator = declaratorOf(syntax, index);
  return declarator !== undefined && isWithin(declarator.id, syntax.nodes[index]) && syntax.around[index] === -1;
}

function declaratorOf(syntax: Syntax, index: number): SyntaxNode | undefined {
  for (let at = syntax.parents[index] ?? -1; at !== -1; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node?.type === 'VariableDeclarator') return node;
    if (!/Pattern$|^Property$|^RestElement$/.test(node?.type ?? '')) return undefined;
  }
  return undefined;
}

const isWithin = (outer: unknown, node: SyntaxNode | undefined): boolean =>
  isNode(outer) && node !== undefined && node.start >= outer.start && node.end <= outer.end;

function importedFrom(syntax: Syntax, index: number): string | undefined {
  for (let at = index; at !== -1; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node?.type === 'ImportDeclaration') return isNode(node.source) ? String(node.source.value) : undefined;
  }
  return undefined;
}

/** `require('x')`, also with a member of it. */
function required(syntax: Syntax, value: SyntaxNode): string | undefined {
  return /^require\(\s*(['"])([^'"]+)\1\s*\)/.exec(syntax.text.slice(value.start, value.end))?.[2];
}

/** A package or a module of Node's that only computes; the application's own modules may hold state. */
const isPackage = (specifier: string | undefined): boolean =>
  specifier !== undefined && !/^[./#]|^file:/.test(specifier) && !DOING.test(specifier);
