import { lastName } from './emptying.js';
import { type Feeder, feedersOf } from './feeders.js';
import { isNode, offsetOf, positionOf, type Syntax, type SyntaxNode, syntaxOf } from './syntax.js';

/** A local name for a collection, or for one of its elements, and the function that calls it so. */
export interface Alias {
  readonly name: string;
  /** `of = byFarm.get(id) ?? []`: one of the collection's own lists, not the collection. */
  readonly isElement: boolean;
  /** It stands for one element after the other: what is done to it is done to all. */
  readonly isEach?: true;
  /** Text of the function around, which begins at `line0` (0-based) of the whole. */
  readonly text: string;
  readonly line0: number;
  /** Offsets of the function in the whole text. */
  readonly from: number;
  readonly to: number;
}

/** Where functions give the collection called `name`, or one of its elements, a name of their own, in source order. */
export function aliasesOf(text: string, name: string): Alias[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap((node, index) => {
    const each = eachOf(node, name);
    if (each) return [{ ...each, isElement: true, isEach: true, ...within(syntax, node) }];
    const named = namedBy(node);
    const isElement = named && namesElement(named.value, name);
    const around = syntax.nodes[syntax.around[index] ?? -1];
    if (!named || isElement === undefined || !around) return [];
    return [{ name: named.name, isElement, ...within(syntax, around) }];
  });
}

const within = (syntax: Syntax, around: SyntaxNode): Omit<Alias, 'name' | 'isElement'> => ({
  text: syntax.text.slice(around.start, around.end),
  line0: positionOf(syntax, around.start).line0,
  from: around.start,
  to: around.end,
});

/** Lines that add to an element of the collection called `name`, under the local name it has there. */
export function elementFeedersOf(text: string, name: string): Feeder[] {
  const syntax = syntaxOf(text);
  return aliasesOf(text, name)
    .filter(alias => alias.isElement && alias.name !== name)
    .flatMap(({ name: local, from, to }) =>
      feedersOf(text, local).filter(feeder => {
        const at = offsetOf(syntax, feeder);
        return from <= at && at < to;
      }),
    );
}

/** `for (const list of byId.values())`, `for (const [, list] of byId)`, `byId.forEach(list => …)`. */
function eachOf(node: SyntaxNode, name: string): Pick<Alias, 'name'> | undefined {
  const named =
    node.type === 'ForOfStatement'
      ? loopOf(node, name)
      : node.type === 'CallExpression'
        ? iterationOf(node, name)
        : undefined;
  return isNode(named) && named.type === 'Identifier' ? { name: String(named.name) } : undefined;
}

function loopOf({ left, right }: SyntaxNode, name: string): unknown {
  const [declared] = isNode(left) && Array.isArray(left.declarations) ? left.declarations : [];
  const target: unknown = isNode(declared) ? declared.id : left;
  if (!isNode(target) || !isNode(right) || !goesThrough(right, name)) return undefined;
  return target.type === 'ArrayPattern' && Array.isArray(target.elements) ? target.elements[1] : target;
}

/** `byId`, `byId.values()`, `Object.entries(byId)`. */
function goesThrough(value: SyntaxNode, name: string): boolean {
  if (lastName(value) === name) return true;
  const { callee, arguments: args } = value;
  if (value.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'MemberExpression') return false;
  if (!/^(?:values|entries)$/.test(lastName(callee.property) ?? '')) return false;
  return lastName(callee.object) === name || (Array.isArray(args) && lastName(args[0]) === name);
}

function iterationOf({ callee, arguments: args }: SyntaxNode, name: string): unknown {
  const [job] = Array.isArray(args) ? args : [];
  if (!isNode(callee) || callee.type !== 'MemberExpression' || lastName(callee.property) !== 'forEach')
    return undefined;
  if (lastName(callee.object) !== name || !isNode(job) || !Array.isArray(job.params)) return undefined;
  return job.params[0];
}

function namedBy(node: SyntaxNode): { readonly name: string; readonly value: SyntaxNode } | undefined {
  const isAssignment = node.type === 'AssignmentExpression' && node.operator === '=';
  const [target, value] = isAssignment ? [node.left, node.right] : [node.id, node.init];
  if (!isAssignment && node.type !== 'VariableDeclarator') return undefined;
  if (!isNode(target) || target.type !== 'Identifier' || !isNode(value)) return undefined;
  return { name: String(target.name), value };
}

/** True: it is an element of `name`; false: it is `name` itself; undefined: neither. */
function namesElement(value: SyntaxNode, name: string): boolean | undefined {
  if (value.type === 'LogicalExpression' && isNode(value.left)) return namesElement(value.left, name);
  // `const list = (byId[id] ??= [])`
  const isMade = value.type === 'AssignmentExpression' && value.operator !== '=';
  if (isMade && isNode(value.left)) return namesElement(value.left, name);
  if (value.type === 'ChainExpression' && isNode(value.expression)) return namesElement(value.expression, name);
  if (value.type === 'MemberExpression' && value.computed) return lastName(value.object) === name ? true : undefined;
  if (value.type === 'CallExpression' && isNode(value.callee) && value.callee.type === 'MemberExpression') {
    const method = lastName(value.callee.property);
    return (method === 'get' || method === 'at') && lastName(value.callee.object) === name ? true : undefined;
  }
  return lastName(value) === name ? false : undefined;
}
