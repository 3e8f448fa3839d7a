import { aliasesOf } from './aliases.js';
import { lastName } from './emptying.js';
import { isNode, positionOf, type SyntaxNode, syntaxOf } from './syntax.js';

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
