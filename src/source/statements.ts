import { withoutLiterals } from '../base/statements.js';
import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Statements are compared by so much of their beginning, and a shorter one says nothing (`select * from`). */
const COMPARED = 120;
const LEAST_COMPARED = 14;

/** The call that asks a database statement (without literals) that is written in a text; undefined where it is not. */
export function askedAt(text: string, statement: string): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const written = syntax.nodes
    .map((node, index) => ({ index, fit: fitOf(writtenIn(node), statement) }))
    .filter(({ fit }) => fit >= LEAST_COMPARED)
    .sort((a, b) => b.fit - a.fit)[0];
  return written && positionOf(syntax, callOf(syntax, written.index));
}

function writtenIn({ type, value, quasis }: SyntaxNode): string {
  if (type === 'Literal') return typeof value === 'string' ? value : '';
  const [first] = type === 'TemplateLiteral' && Array.isArray(quasis) ? quasis : [];
  const cooked = isNode(first) ? (first.value as { readonly cooked?: string }).cooked : undefined; // a quasi's
  return cooked ?? '';
}

/** How many characters of the beginning agree; 0 where one goes on otherwise than the other. */
function fitOf(written: string, statement: string): number {
  if (written.length < LEAST_COMPARED) return 0;
  const [mine, theirs] = [withoutLiterals(written).slice(0, COMPARED), statement.slice(0, COMPARED)];
  return theirs.startsWith(mine) || mine.startsWith(theirs) ? Math.min(mine.length, theirs.length) : 0;
}

/** The call that is handed the node itself, or the variable that it is kept in; else where it is written. */
function callOf(syntax: Syntax, index: number): number {
  for (let at = index; at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node?.type === 'CallExpression' || node?.type === 'TaggedTemplateExpression') return anchorOf(node);
    const name = node && nameOf(node);
    const used = name === undefined ? undefined : syntax.nodes.find(other => isHanded(other, name));
    if (used) return anchorOf(used);
    if (!node || /Function|Class|Program/.test(node.type)) break;
  }
  return syntax.nodes[index]?.start ?? 0;
}

function nameOf({ type, id, key }: SyntaxNode): string | undefined {
  const named =
    type === 'VariableDeclarator' ? id : type === 'Property' || type === 'PropertyDefinition' ? key : undefined;
  return isNode(named) && typeof named.name === 'string' ? named.name : undefined;
}

const isHanded = ({ type, arguments: given }: SyntaxNode, name: string): boolean =>
  type === 'CallExpression' &&
  Array.isArray(given) &&
  given.some(item => isNode(item) && (item.name === name || (isNode(item.property) && item.property.name === name)));

function anchorOf({ callee, tag }: SyntaxNode): number {
  const called = callee ?? tag;
  if (!isNode(called)) return 0;
  return called.type === 'MemberExpression' && isNode(called.property) ? called.property.start : called.start;
}
