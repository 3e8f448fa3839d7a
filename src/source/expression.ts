import { type Node, parseExpressionAt } from 'acorn';
import type { WatchExpression } from '../model/evidence/trace.js';
import type { Json } from '../model/json.js';

type Tree = Node & { readonly [property: string]: unknown };

/** What can be read without running code of the program, with the properties that carry it. */
const READABLE: Readonly<Record<string, readonly string[]>> = {
  Literal: [],
  Identifier: [],
  ThisExpression: [],
  MemberExpression: ['object', 'property'],
  CallExpression: ['callee', 'arguments'],
  UnaryExpression: ['argument'],
  LogicalExpression: ['left', 'right'],
  BinaryExpression: ['left', 'right'],
  ConditionalExpression: ['test', 'consequent', 'alternate'],
  TemplateLiteral: ['expressions', 'quasis'],
  TemplateElement: [],
  ArrayExpression: ['elements'],
  ChainExpression: ['expression'],
};
const KEPT = ['type', 'name', 'value', 'bigint', 'operator', 'computed', 'optional'];
/** Methods of built-in values that change nothing. */
const METHODS = new Set(['startsWith', 'endsWith', 'includes', 'slice', 'toLowerCase', 'toUpperCase', 'get', 'has']);
const OPERATORS = new Set(['!', '-', '+', 'typeof', '===', '!==', '==', '!=', '<', '<=', '>', '>=', '*', '/', '%']);
const MAX_LENGTH = 500;

/** An expression to read at a logpoint, or a sentence that says why it can't be. */
export function watchExpression(text: string): WatchExpression | string {
  if (text.length > MAX_LENGTH) return `An expression may have ${MAX_LENGTH} characters.`;
  let tree: Tree;
  try {
    // acorn's node types are closed; here properties are read by name.
    tree = parseExpressionAt(text, 0, { ecmaVersion: 'latest' }) as unknown as Tree;
  } catch {
    return `“${text}” is no JavaScript expression.`;
  }
  if (text.slice(tree.end).trim() !== '') return `“${text}” is no single expression.`;
  const refused = refusalOf(tree);
  if (refused !== undefined) return `“${text}” ${refused}`;
  const names = new Set<string>();
  const reduced = reduce(tree, names);
  names.delete('undefined');
  return { text, names: [...names], tree: reduced };
}

const CHANGES = 'would run code of the program or change it; lens only reads: names, properties, operators';

function refusalOf(node: Tree): string | undefined {
  const parts = READABLE[node.type];
  if (parts === undefined || 'regex' in node) return `${CHANGES}.`;
  if (typeof node.operator === 'string' && !OPERATORS.has(node.operator) && node.type !== 'LogicalExpression')
    return `uses the operator ${node.operator}, which lens doesn't read.`;
  if (node.type === 'CallExpression' && !isKnownMethod(node.callee as Tree))
    return `${CHANGES}, and ${[...METHODS].join(', ')} of built-in values.`;
  return children(node, parts)
    .map(refusalOf)
    .find(refusal => refusal !== undefined);
}

const isKnownMethod = (callee: Tree): boolean =>
  callee.type === 'MemberExpression' && !callee.computed && METHODS.has(String((callee.property as Tree).name));

function children(node: Tree, parts: readonly string[]): Tree[] {
  return parts.flatMap(part => (Array.isArray(node[part]) ? (node[part] as Tree[]) : [node[part] as Tree]));
}

function reduce(node: Tree, names: Set<string>): Json {
  if (node.type === 'Identifier') names.add(String(node.name));
  if (node.type === 'ThisExpression') names.add('this');
  const kept: Record<string, Json> = {};
  // A syntax tree's scalars are JSON, but for bigint values, which stand beside their text.
  for (const key of KEPT) if (key in node && typeof node[key] !== 'bigint') kept[key] = node[key] as Json;
  for (const part of READABLE[node.type] ?? []) {
    const child = node[part];
    if (part === 'property' && !node.computed) kept.property = { type: 'Name', name: String((child as Tree).name) };
    else
      kept[part] = Array.isArray(child)
        ? (child as Tree[]).map(each => reduce(each, names))
        : reduce(child as Tree, names);
  }
  return kept;
}
