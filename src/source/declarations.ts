import { enclosingFunction } from './names.js';
import {
  isNode,
  offsetOf,
  parentOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** Where a variable, field or import gets its name. */
export interface Declaration extends TextPosition {
  readonly kind: 'variable' | 'import' | 'function' | 'class' | 'field' | 'assigned' | 'property' | 'parameter';
  /** Function around it; undefined at the top level. */
  readonly within?: string;
}

/** Order of belief when several declarations carry the name: what holds data comes before what merely names it. */
const BELIEF: readonly Declaration['kind'][] = [
  'variable',
  'field',
  'assigned',
  'import',
  'property',
  'parameter',
  'class',
  'function',
];

/**
 * Where `variable` is declared: `const x`, `this.x =`, class fields, imports, destructuring, parameters. `nearLine0`
 * chooses the nearest of equals at or before that line. Undefined when unknown.
 */
export function declarationOf(text: string, variable: string, nearLine0?: number): Declaration | undefined {
  const syntax = syntaxOf(text);
  const name = variable.split('.').at(-1) ?? variable;
  const found = syntax.nodes.flatMap((node, index) => declares(syntax, node, index, name) ?? []);
  return found.sort((a, b) => rank(a, nearLine0) - rank(b, nearLine0))[0];
}

/** One step of belief outweighs any distance; a declaration after the use is as far as the text is long. */
function rank(declaration: Declaration, nearLine0: number | undefined): number {
  const nested = declaration.within === undefined || nearLine0 !== undefined ? 0 : 0.5;
  const away = nearLine0 === undefined ? declaration.line0 : nearLine0 - declaration.line0;
  return BELIEF.indexOf(declaration.kind) + nested + (away >= 0 ? Math.min(away, 99_999) / 1e6 : 0.2);
}

function declares(syntax: Syntax, node: SyntaxNode, index: number, name: string): Declaration | undefined {
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return declaredBy(syntax, node, index, name);
  return undefined;
}

function declaredBy(syntax: Syntax, node: SyntaxNode, index: number, name: string): Declaration | undefined {
  if (node.name !== name && `#${String(node.name)}` !== name) return undefined;
  const kind = kindOf(syntax, node, index);
  if (!kind) return undefined;
  const position = positionOf(syntax, node.start);
  const within = enclosingFunction(syntax.text, position.line0, position.column0)?.name;
  return { ...position, kind, ...(within === undefined ? {} : { within }) };
}

function kindOf(syntax: Syntax, node: SyntaxNode, index: number): Declaration['kind'] | undefined {
  const parent = parentOf(syntax, index);
  switch (parent?.type) {
    case 'VariableDeclarator':
      return parent.id === node ? 'variable' : undefined;
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return parent.id === node ? 'function' : parent.body === node ? undefined : 'parameter';
    case 'ClassDeclaration':
      return parent.id === node ? 'class' : undefined;
    case 'PropertyDefinition':
      return parent.key === node && !parent.computed ? 'field' : undefined;
    case 'ImportSpecifier':
    case 'ImportDefaultSpecifier':
    case 'ImportNamespaceSpecifier':
      return parent.local === node ? 'import' : undefined;
    case 'MemberExpression':
      return parent.property === node && !parent.computed && isAssigned(syntax, index) ? 'assigned' : undefined;
    case 'Property':
      return propertyKind(syntax, parent, node, index);
    case 'ArrayPattern':
    case 'RestElement':
    case 'AssignmentPattern':
      return parent.right === node ? undefined : patternKind(syntax, index);
    default:
      return undefined;
  }
}

function isAssigned(syntax: Syntax, index: number): boolean {
  const memberIndex = syntax.parents[index] ?? -1;
  const assignment = parentOf(syntax, memberIndex);
  return assignment?.type === 'AssignmentExpression' && assignment.left === syntax.nodes[memberIndex];
}

function propertyKind(
  syntax: Syntax,
  property: SyntaxNode,
  node: SyntaxNode,
  index: number,
): Declaration['kind'] | undefined {
  const propertyIndex = syntax.parents[index] ?? -1;
  const inPattern = parentOf(syntax, propertyIndex)?.type === 'ObjectPattern';
  if (inPattern) return property.value === node ? patternKind(syntax, index) : undefined;
  return property.key === node && !property.computed && !property.shorthand ? 'property' : undefined;
}

const PATTERNS = new Set(['Property', 'ObjectPattern', 'ArrayPattern', 'RestElement', 'AssignmentPattern']);

function patternKind(syntax: Syntax, index: number): Declaration['kind'] | undefined {
  let at = syntax.parents[index] ?? -1;
  let child = index;
  while (PATTERNS.has(syntax.nodes[at]?.type ?? '')) {
    child = at;
    at = syntax.parents[at] ?? -1;
  }
  const holder = syntax.nodes[at];
  if (holder?.type === 'VariableDeclarator') return holder.id === syntax.nodes[child] ? 'variable' : undefined;
  return isNode(holder) && /Function/.test(holder.type) ? 'parameter' : undefined;
}

/** The text of the innermost class around a position; undefined outside of any. */
export function classAround(text: string, position: TextPosition): string | undefined {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const found = syntax.nodes.findLast(
    ({ type, start, end }) => type.startsWith('Class') && type !== 'ClassBody' && start <= offset && offset < end,
  );
  return found && text.slice(found.start, found.end);
}
