import { enclosingFunction } from './names.js';
import { isNode, lineText, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A line that keeps things alive where no collection shows them. */
export interface Keeping extends TextPosition {
  /**
   * `finalizer`: what a FinalizationRegistry waits for is held by what it was given; `chain`: a promise grows by `then`;
   * `race`: each call races against a promise from outside of the function; `local`: a loop without an end fills a
   * variable of its function.
   */
  readonly how: 'finalizer' | 'chain' | 'race' | 'local';
  readonly code: string;
  readonly function?: string;
  /** Where the function around it begins. */
  readonly around?: TextPosition;
}

/** Every such line of a text, in source order. Names are compared, not scopes. */
export function keepingsOf(text: string): Keeping[] {
  const syntax = syntaxOf(text);
  const registries = registriesIn(syntax);
  return syntax.nodes.flatMap((node, index) => {
    if (registries.size > 0 && isHeldByItself(node, registries)) return [keepingAt(syntax, node, 'finalizer')];
    if ((syntax.around[index] ?? -1) < 0) return [];
    if (isChained(node)) return [keepingAt(syntax, node, 'chain')];
    return racesAgainstOutside(syntax, node, index) ? [keepingAt(syntax, node, 'race')] : [];
  });
}

function keepingAt(syntax: Syntax, node: SyntaxNode, how: Keeping['how']): Keeping {
  const at = positionOf(syntax, node.start);
  const around = enclosingFunction(syntax.text, at.line0, at.column0);
  return {
    ...at,
    how,
    code: lineText(syntax.text, at.line0).trim().slice(0, 160),
    ...(around && { function: around.name, around: { line0: around.line0, column0: around.column0 } }),
  };
}

/** Names that were given a `new FinalizationRegistry(…)`. */
function registriesIn({ nodes, parents }: Syntax): ReadonlySet<string> {
  const names = nodes.flatMap((node, index) => {
    if (node.type !== 'NewExpression' || nameOf(node.callee) !== 'FinalizationRegistry') return [];
    const above = nodes[parents[index] ?? -1];
    return [nameOf(above?.id ?? above?.key ?? above?.left) ?? []].flat();
  });
  return new Set(names);
}

/** `registry.register(target, held)`, where `held` is the target, holds it, or is a function that looks at it. */
function isHeldByItself({ type, callee, arguments: args }: SyntaxNode, registries: ReadonlySet<string>): boolean {
  if (type !== 'CallExpression' || !isNode(callee) || nameOf(callee) !== 'register' || !Array.isArray(args))
    return false;
  if (!registries.has(nameOf(callee.object) ?? '')) return false;
  const [target, held] = args;
  return isNode(target) && isNode(held) && holds(held, target);
}

function holds(held: SyntaxNode, target: SyntaxNode): boolean {
  if (isSame(held, target)) return true;
  if (/Function/.test(held.type)) return mentions(held.body, target);
  const parts = [held.elements, held.properties].flatMap(list => (Array.isArray(list) ? list : []));
  return parts.some(part => isNode(part) && holds(isNode(part.value) ? part.value : part, target));
}

const isSame = (a: SyntaxNode, b: SyntaxNode): boolean =>
  (a.type === 'ThisExpression' && b.type === 'ThisExpression') ||
  (a.type === 'Identifier' && b.type === 'Identifier' && a.name === b.name);

function mentions(within: unknown, target: SyntaxNode): boolean {
  if (Array.isArray(within)) return within.some(one => mentions(one, target));
  if (!isNode(within)) return false;
  return (
    isSame(within, target) || Object.values(within).some(value => typeof value === 'object' && mentions(value, target))
  );
}

const LINKING = new Set(['then', 'catch', 'finally']);

/** `this.tail = this.tail.then(…).catch(…)`. */
function isChained({ type, operator, left, right }: SyntaxNode): boolean {
  if (type !== 'AssignmentExpression' || operator !== '=' || !isNode(left) || !isNode(right)) return false;
  const path = pathOf(left);
  let at: SyntaxNode = right;
  let links = 0;
  while (at.type === 'CallExpression' && isNode(at.callee) && LINKING.has(nameOf(at.callee) ?? '')) {
    if (!isNode(at.callee.object)) return false;
    at = at.callee.object;
    links++;
  }
  return links > 0 && path !== undefined && pathOf(at) === path;
}

/** `Promise.race([work(), closed])`, where neither the function nor a call of it made `closed`. */
function racesAgainstOutside(syntax: Syntax, { type, callee, arguments: args }: SyntaxNode, index: number): boolean {
  if (type !== 'CallExpression' || !isNode(callee) || !/^(?:race|any)$/.test(nameOf(callee) ?? '')) return false;
  const [list] = Array.isArray(args) ? args : [];
  if (pathOf(callee)?.startsWith('Promise.') !== true || !isNode(list) || !Array.isArray(list.elements)) return false;
  return list.elements.some(one => isNode(one) && isFromOutside(syntax, withoutLinks(one), index));
}

/** `closed` of `closed.then(…).catch(…)`. */
function withoutLinks(node: SyntaxNode): SyntaxNode {
  const { callee } = node;
  const isLink = node.type === 'CallExpression' && isNode(callee) && LINKING.has(nameOf(callee) ?? '');
  return isLink && isNode(callee.object) ? withoutLinks(callee.object) : node;
}

/** A name that no function around declares, or a field of what a method belongs to. */
function isFromOutside(syntax: Syntax, node: SyntaxNode, index: number): boolean {
  const name = pathOf(node)?.split('.')[0];
  if (name === undefined) return false;
  if (name === 'this') return true;
  for (let at = syntax.around[index] ?? -1; at >= 0; at = syntax.around[at] ?? -1)
    if (declares(syntax, at, name)) return false;
  return true;
}

/** As a parameter or a variable, wherever in the function. */
function declares({ nodes, text }: Syntax, index: number, name: string): boolean {
  const around = nodes[index] as SyntaxNode; // an index of the syntax
  const params = Array.isArray(around.params) ? around.params.filter(isNode) : [];
  const word = new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])`);
  if (params.some(({ start, end }) => word.test(text.slice(start, end)))) return true;
  return nodes.some(
    node =>
      node.type === 'VariableDeclarator' &&
      around.start < node.start &&
      node.end <= around.end &&
      isNode(node.id) &&
      word.test(text.slice(node.id.start, node.id.end)),
  );
}

/** `this.tail`, `queue.tail`, `tail`; undefined for anything that is computed. */
function pathOf(node: SyntaxNode): string | undefined {
  if (node.type === 'ThisExpression') return 'this';
  if (node.type !== 'MemberExpression') return node.type === 'Identifier' ? String(node.name) : undefined;
  const above = isNode(node.object) && !node.computed ? pathOf(node.object) : undefined;
  return above && `${above}.${nameOf(node)}`;
}

/** The last name of an identifier, a #private one or a member. */
function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier' || node.type === 'PrivateIdentifier') return String(node.name);
  return node.type === 'MemberExpression' && !node.computed ? nameOf(node.property) : undefined;
}
