import { type Node, parseExpressionAt } from 'acorn';

const MAX_LENGTH = 500;
/** Told before anything runs; what a called function does is for V8 to find out (throwOnSideEffect). */
const CHANGES = new Set([
  'AssignmentExpression',
  'UpdateExpression',
  'AwaitExpression',
  'YieldExpression',
  'ImportExpression',
]);
/** Methods of strings that make a regular expression of their argument, or are called with one. */
const MATCHING = new Set(['match', 'matchAll', 'search', 'exec', 'test', 'compile']);

/**
 * What keeps an expression from being read inside of a running program, as a sentence; undefined when nothing does. It
 * must be one expression, change nothing that can be seen from here, and hold no regular expression: V8 up to Node 22
 * may lose the one that the program is in the midst of.
 */
export function problemOfReading(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `An expression may have ${MAX_LENGTH} characters.`;
  const tree = parsed(text);
  if (tree === undefined) return `“${text}” is no single JavaScript expression.`;
  for (const node of nodesOf(tree)) {
    if (CHANGES.has(node.type) || (node.type === 'UnaryExpression' && node.operator === 'delete'))
      return `“${text}” would change the program or wait for it; lens only reads.`;
    if (isRegexp(node)) return `“${text}” holds a regular expression, which can end a program that is inside of one.`;
  }
  return undefined;
}

type Tree = Node & { readonly [property: string]: unknown };

function parsed(text: string): Tree | undefined {
  try {
    // acorn's node types are closed; here properties are read by name.
    const tree = parseExpressionAt(text, 0, {
      ecmaVersion: 'latest',
      allowAwaitOutsideFunction: true,
    }) as unknown as Tree;
    return text.slice(tree.end).trim() === '' ? tree : undefined;
  } catch {
    return undefined;
  }
}

function isRegexp(node: Tree): boolean {
  if ('regex' in node) return true;
  if (node.type === 'Identifier') return node.name === 'RegExp';
  if (node.type !== 'MemberExpression') return false;
  const property = node.property as Tree; // a member has one
  return MATCHING.has(String(node.computed ? property.value : property.name));
}

function* nodesOf(value: unknown): Generator<Tree> {
  if (Array.isArray(value)) for (const each of value) yield* nodesOf(each);
  if (typeof value !== 'object' || value === null || !('type' in value)) return;
  const node = value as Tree; // what has a type is a node
  yield node;
  for (const each of Object.values(node)) yield* nodesOf(each);
}
