import {
  functionAround,
  isNode,
  isWithin,
  offsetOf,
  parentOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** A function of a text: what a person would call it, and where its definition begins and ends. */
export interface FunctionName extends TextPosition {
  readonly name: string;
  readonly endLine0: number;
}

/** Names the innermost function around a position; undefined at the top level or when the text can't be parsed. */
export function enclosingFunction(text: string, line0: number, column0: number): FunctionName | undefined {
  const syntax = syntaxOf(text);
  const index = functionAround(syntax, offsetOf(syntax, { line0, column0 }));
  const node = syntax.nodes[index];
  if (!node) return undefined;
  return {
    name: functionName(syntax, index),
    ...positionOf(syntax, node.start),
    endLine0: positionOf(syntax, node.end).line0,
  };
}

/** Where the functions around a position begin, the innermost first. */
export function functionsAround(text: string, position: TextPosition): TextPosition[] {
  const syntax = syntaxOf(text);
  const starts: TextPosition[] = [];
  for (let at = functionAround(syntax, offsetOf(syntax, position)); at >= 0; at = syntax.around[at] ?? -1)
    starts.push(positionOf(syntax, syntax.nodes[at]?.start ?? 0));
  return starts;
}

/** What a function is called: its own name, else what it is assigned to, passed to or returned from. */
export function functionName(syntax: Syntax, index: number): string {
  const node = syntax.nodes[index];
  if (!node) return '';
  if (isNode(node.id)) return textOf(syntax, node.id);
  return nameFromPlace(syntax, index, syntax.parents[index] ?? -1) ?? anonymous(syntax, index);
}

function nameFromPlace(syntax: Syntax, index: number, parentIndex: number): string | undefined {
  const parent = syntax.nodes[parentIndex];
  const child = syntax.nodes[index];
  if (!parent || !child) return undefined;
  switch (parent.type) {
    case 'VariableDeclarator':
      return isNode(parent.id) ? textOf(syntax, parent.id) : undefined;
    case 'AssignmentExpression':
      return isNode(parent.left) ? textOf(syntax, parent.left) : undefined;
    case 'AssignmentPattern':
      return isNode(parent.left) ? textOf(syntax, parent.left) : undefined;
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return memberName(syntax, parentIndex, parent);
    case 'Property':
      return propertyName(syntax, parentIndex, parent);
    case 'CallExpression':
    case 'NewExpression':
      return parent.callee === child ? undefined : `${callName(syntax, parent)} callback`;
    case 'ExportDefaultDeclaration':
      return 'default export';
    case 'ReturnStatement':
      return returnedName(syntax, parentIndex);
    case 'ArrowFunctionExpression':
      return parent.body === child ? `function returned by ${functionName(syntax, parentIndex)}` : undefined;
    default:
      return TRANSPARENT.has(parent.type)
        ? nameFromPlace(syntax, parentIndex, syntax.parents[parentIndex] ?? -1)
        : undefined;
  }
}

/** Between a function and what names it: `const f = a || (() => {})`, `x = cond ? () => {} : …`. */
const TRANSPARENT = new Set([
  'LogicalExpression',
  'ConditionalExpression',
  'ParenthesizedExpression',
  'SequenceExpression',
  'ChainExpression',
]);

function memberName(syntax: Syntax, index: number, member: SyntaxNode): string | undefined {
  if (!isNode(member.key)) return undefined;
  const name = member.computed ? `[${textOf(syntax, member.key)}]` : textOf(syntax, member.key);
  const owner = className(syntax, index);
  return owner ? (name === 'constructor' ? `new ${owner}` : `${owner}.${name}`) : name;
}

function className(syntax: Syntax, index: number): string | undefined {
  const bodyIndex = syntax.parents[index] ?? -1;
  const classIndex = syntax.parents[bodyIndex] ?? -1;
  const node = syntax.nodes[classIndex];
  if (!node?.type.startsWith('Class')) return undefined;
  if (isNode(node.id)) return textOf(syntax, node.id);
  return nameFromPlace(syntax, classIndex, syntax.parents[classIndex] ?? -1);
}

function propertyName(syntax: Syntax, index: number, property: SyntaxNode): string | undefined {
  if (!isNode(property.key)) return undefined;
  const key = textOf(syntax, property.key).replace(/^(['"])(.*)\1$/, '$2');
  const objectIndex = syntax.parents[index] ?? -1;
  const holder = parentOf(syntax, objectIndex);
  const owner = holder?.type === 'VariableDeclarator' && isNode(holder.id) ? textOf(syntax, holder.id) : undefined;
  if (holder?.type === 'CallExpression' || holder?.type === 'NewExpression')
    return `${callName(syntax, holder)} ${key}`;
  return owner ? `${owner}.${key}` : key;
}

function returnedName(syntax: Syntax, index: number): string | undefined {
  const node = syntax.nodes[index];
  const outer = node ? functionIndexAbove(syntax, index) : -1;
  return outer === -1 ? undefined : `function returned by ${functionName(syntax, outer)}`;
}

function functionIndexAbove(syntax: Syntax, index: number): number {
  return syntax.around[index] ?? -1;
}

function anonymous(syntax: Syntax, index: number): string {
  const outer = functionIndexAbove(syntax, index);
  return outer === -1 ? '(anonymous)' : `callback in ${functionName(syntax, outer)}`;
}

/** `app.get('/cart')`, `setInterval()`, `new Promise()`: a call by its callee and a leading string argument. */
export function callName(syntax: Syntax, call: SyntaxNode): string {
  const callee = isNode(call.callee) ? chainText(syntax, call.callee) : '';
  const [first] = Array.isArray(call.arguments) ? call.arguments : [];
  const label =
    isNode(first) && first.type === 'Literal' && typeof first.value === 'string'
      ? shorten(textOf(syntax, first), 40)
      : '';
  return `${call.type === 'NewExpression' ? 'new ' : ''}${callee}(${label})`;
}

/** A callee without the arguments in its chain: `fetch(url, {…}).then` reads `fetch().then`. */
export function chainText(syntax: Syntax, node: SyntaxNode): string {
  if (node.type === 'CallExpression' && isNode(node.callee)) return `${chainText(syntax, node.callee)}()`;
  if (node.type === 'MemberExpression' && isNode(node.object) && isNode(node.property)) {
    const property = textOf(syntax, node.property);
    return node.computed
      ? `${chainText(syntax, node.object)}[${property}]`
      : `${chainText(syntax, node.object)}.${property}`;
  }
  if (node.type === 'ChainExpression' && isNode(node.expression)) return chainText(syntax, node.expression);
  const called = node.type === 'SequenceExpression' && Array.isArray(node.expressions) && node.expressions.at(-1);
  // `(0, rxjs_1.interval)(50)` is how compilers write a call of what was imported.
  if (isNode(called)) return chainText(syntax, called);
  return FUNCTION_LIKE.test(node.type) ? '' : shorten(textOf(syntax, node), 60);
}

const FUNCTION_LIKE = /Function|Class/;

/** The node's own text, on one line and short enough to be a name. */
export function textOf(syntax: Syntax, node: SyntaxNode): string {
  return shorten(syntax.text.slice(node.start, Math.min(node.end, node.start + 200)).replace(/\s+/g, ' '), 80);
}

function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/**
 * The name a person would look for: an anonymous callback inside of another function takes that function's name, one
 * at the top level what it is passed to (`app.get('/cart') callback`). Undefined at the top level of the script.
 */
export function ownerName(text: string, line0: number, column0: number): string | undefined {
  const syntax = syntaxOf(text);
  let index = functionAround(syntax, offsetOf(syntax, { line0, column0 }));
  for (
    let outer = functionIndexAbove(syntax, index);
    index !== -1 && outer !== -1;
    outer = functionIndexAbove(syntax, index)
  ) {
    if (!isAnonymousCallback(functionName(syntax, index))) break;
    index = outer;
  }
  return index === -1 ? undefined : functionName(syntax, index);
}

function isAnonymousCallback(name: string): boolean {
  return name.endsWith(' callback') || name.startsWith('callback in ') || name === '(anonymous)';
}

/** Names of a function's plain parameters, for a condition that may read them; destructured ones are left out. */
export function parametersOf(text: string, line0: number, column0: number): string[] {
  const syntax = syntaxOf(text);
  const node = syntax.nodes[functionAround(syntax, offsetOf(syntax, { line0, column0 }))];
  const parameters = Array.isArray(node?.params) ? node.params : [];
  return parameters.flatMap(each => (isNode(each) && each.type === 'Identifier' ? [String(each.name)] : []));
}

/** Where a script defines a function of that name: declaration, variable, method or property; undefined if it doesn't. */
export function definitionOf(text: string, name: string): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const found = syntax.functions.find(index => {
    const called = functionName(syntax, index);
    return called === name || called.endsWith(`.${name}`);
  });
  const node = found === undefined ? undefined : syntax.nodes[found];
  return node && positionOf(syntax, bodyStart(node));
}

/** A position within the function and in none of its parameters' own functions. */
function bodyStart(node: SyntaxNode): number {
  return isNode(node.body) ? node.body.start : node.start;
}

/** Every name that is written within a node, in source order. */
export const namesIn = (syntax: Syntax, outer: SyntaxNode): string[] =>
  syntax.nodes.flatMap(node => (node.type === 'Identifier' && isWithin(node, outer) ? [String(node.name)] : []));
