import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Where object literals with all of these names are written; the position is that of `field`, else of the literal. */
export function literalsWith(text: string, names: readonly string[], field?: string): TextPosition[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap(node => {
    if (node.type !== 'ObjectExpression') return [];
    const properties = propertiesOf(node);
    const written = new Set(properties.map(nameOf));
    if (!names.every(name => written.has(name))) return [];
    return [at(syntax, properties.find(property => field !== undefined && nameOf(property) === field) ?? node)];
  });
}

const at = (syntax: Syntax, { start }: SyntaxNode): TextPosition => positionOf(syntax, start);

const propertiesOf = ({ properties }: SyntaxNode): SyntaxNode[] =>
  Array.isArray(properties) ? properties.filter(one => isNode(one) && one.type === 'Property') : [];

function nameOf({ key, computed }: SyntaxNode): string | undefined {
  if (!isNode(key) || computed) return undefined;
  return key.type === 'Identifier' ? String(key.name) : String(key.value);
}
