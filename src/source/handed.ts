import { aliasesOf } from './aliases.js';
import { lastName } from './emptying.js';
import { functionName } from './names.js';
import { isNode, lineText, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A function's text and the name by which it knows its first argument. */
export interface Receiver {
  readonly parameter: string;
  readonly text: string;
  /** 0-based line where the text begins. */
  readonly line0: number;
}

/** Names of the functions that get the collection called `name`, or one of its elements, as their first argument. */
export function handedTo(text: string, name: string): string[] {
  const { nodes } = syntaxOf(text);
  const aliases = aliasesOf(text, name);
  const names = nodes.flatMap(({ type, callee, arguments: args, start, end }) => {
    const [first] = Array.isArray(args) ? args : [];
    const given = type === 'CallExpression' ? lastName(first) : undefined;
    const isMeant = given === name || aliases.some(one => one.name === given && one.from <= start && end <= one.to);
    return given !== undefined && isMeant ? (lastName(callee) ?? []) : [];
  });
  return [...new Set(names)];
}

/** A call within a function that gets a variable, itself or within a literal: `add(id, { transports: [file] })`. */
export interface Handing extends TextPosition {
  readonly code: string;
  readonly function: string;
}

export function handingsOf(text: string, variable: string): Handing[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap((node, index) => {
    if (node.type !== 'Identifier' || node.name !== variable) return [];
    const call = callGetting(syntax, index);
    const around = call < 0 ? -1 : (syntax.around[call] ?? -1);
    if (around < 0) return [];
    const { callee } = syntax.nodes[call] as SyntaxNode; // callGetting found it there
    const named = isNode(callee) && isNode(callee.property) ? callee.property : syntax.nodes[call];
    const at = positionOf(syntax, named?.start ?? 0);
    const code = lineText(text, at.line0).trim().slice(0, 160);
    return [{ ...at, code, function: functionName(syntax, around) }];
  });
}

const LITERALS: ReadonlySet<string> = new Set(['Property', 'ObjectExpression', 'ArrayExpression', 'SpreadElement']);

/** The call among whose arguments a node is, −1 where it is anything else. */
function callGetting({ nodes, parents }: Syntax, index: number): number {
  for (let at = index; ; ) {
    const above = parents[at] ?? -1;
    const parent = nodes[above];
    if (!parent) return -1;
    if (parent.type === 'CallExpression' || parent.type === 'NewExpression')
      return parent.callee === nodes[at] ? -1 : above;
    if (!LITERALS.has(parent.type) || (parent.type === 'Property' && parent.key === nodes[at] && !parent.shorthand))
      return -1;
    at = above;
  }
}

/** Functions and methods called `name` with their first parameter. */
export function receiversOf(text: string, name: string): Receiver[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap(node => {
    const made = functionCalled(node, name);
    const [first] = made && Array.isArray(made.params) ? made.params : [];
    if (!made || !isNode(first) || first.type !== 'Identifier') return [];
    const { line0 } = positionOf(syntax, made.start);
    return [{ parameter: String(first.name), text: text.slice(made.start, made.end), line0 }];
  });
}

/** `function name(…) {}`, `const name = (…) => …`, `name(…) {}` of a class or a literal. */
function functionCalled(node: SyntaxNode, name: string): SyntaxNode | undefined {
  const made = node.type === 'FunctionDeclaration' ? node : [node.init, node.value].find(isNode);
  const named = node.id ?? node.key;
  return made && /Function/.test(made.type) && lastName(named) === name ? made : undefined;
}
