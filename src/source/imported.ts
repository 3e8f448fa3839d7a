import { isNode, parentOf, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** What a variable stands for in another module: `name` is what that module calls it; without one it is the module itself. */
export interface Imported {
  readonly from: string;
  readonly name?: string;
}

/** `import { plan as p } from './plan'`, `const { plan: p } = require('./plan')`, `require('./plan').plan`; undefined for a module's own. */
export function importedAs(text: string, variable: string): Imported | undefined {
  const syntax = syntaxOf(text);
  for (const [index, node] of syntax.nodes.entries()) {
    const found =
      node.type === 'VariableDeclarator' ? required(node.id, node.init, variable)
      : node.type === 'AssignmentExpression' ? required(exportedBy(node.left), node.right, variable)
      : named(syntax, node, index, variable); // biome-ignore format: a table
    if (found) return found;
  }
  return undefined;
}

function named(syntax: Syntax, node: SyntaxNode, index: number, variable: string): Imported | undefined {
  if (node.type === 'ExportSpecifier') return passedOn(syntax, node, index, variable);
  if (!/^Import.*Specifier$/.test(node.type) || !isNode(node.local) || node.local.name !== variable) return undefined;
  const from = textOf(parentOf(syntax, index)?.source);
  if (from === undefined || node.type === 'ImportNamespaceSpecifier') return from === undefined ? undefined : { from };
  const name = node.type === 'ImportDefaultSpecifier' || !isNode(node.imported) ? 'default' : node.imported.name;
  return { from, name: String(name) };
}

/** `export { plan } from './plan'` */
function passedOn(syntax: Syntax, node: SyntaxNode, index: number, variable: string): Imported | undefined {
  const from = textOf(parentOf(syntax, index)?.source);
  if (from === undefined || !isNode(node.exported) || !isNode(node.local)) return undefined;
  return node.exported.name === variable ? { from, name: String(node.local.name) } : undefined;
}

/** `exports.plan = require('./plan').plan` names it as a variable would. */
const exportedBy = (left: unknown): unknown =>
  isNode(left) && left.type === 'MemberExpression' && !left.computed ? left.property : undefined;

function required(id: unknown, init: unknown, variable: string): Imported | undefined {
  if (!isNode(id) || !isNode(init)) return undefined;
  const isMember = init.type === 'MemberExpression' && !init.computed && isNode(init.property);
  const from = requiredFrom(isMember ? init.object : init);
  if (from === undefined) return undefined;
  const member = isMember && isNode(init.property) ? String(init.property.name) : undefined;
  if (id.type === 'Identifier')
    return id.name === variable ? { from, ...(member !== undefined && { name: member }) } : undefined;
  const name = member === undefined ? takenApart(id, variable) : undefined;
  return name === undefined ? undefined : { from, name };
}

/** `require('./plan')`, also as compilers wrap it: `__importStar(require('./plan'))`. */
function requiredFrom(node: unknown): string | undefined {
  if (!isNode(node) || node.type !== 'CallExpression' || !isNode(node.callee)) return undefined;
  const [first] = Array.isArray(node.arguments) ? node.arguments : [];
  const { callee } = node;
  if (callee.type !== 'Identifier') return undefined;
  if (callee.name === 'require') return textOf(first);
  return /^_+(?:import|interop)/.test(String(callee.name)) ? requiredFrom(first) : undefined;
}

/** The name of the property that a pattern gives to a variable. */
function takenApart({ type, properties }: SyntaxNode, variable: string): string | undefined {
  if (type !== 'ObjectPattern' || !Array.isArray(properties)) return undefined;
  const taken = properties.filter(isNode).find(({ value }) => isNode(value) && value.name === variable);
  return taken && isNode(taken.key) ? String(taken.key.name) : undefined;
}

const textOf = (node: unknown): string | undefined =>
  isNode(node) && typeof node.value === 'string' ? node.value : undefined;

/** Where a module's whole export is written: `module.exports = …`, `export default …`. */
export function exportOf(text: string): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const found = syntax.nodes.find(
    ({ type, left, start }) =>
      type === 'ExportDefaultDeclaration' ||
      (type === 'AssignmentExpression' &&
        isNode(left) &&
        text.startsWith('module.exports', start) &&
        left.end - left.start === WHOLE),
  );
  return found && positionOf(syntax, found.start);
}

const WHOLE = 'module.exports'.length;
