import { emptyingsOf } from './emptying.js';
import { chainText, textOf } from './names.js';
import {
  functionAround,
  isNode,
  isWithin,
  offsetOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** An expression that goes over all of a list, where it begins and ends. */
export interface Walk extends TextPosition {
  readonly endLine0: number;
  readonly code: string;
}

/** Where one piece is added to a list and all of it is gone over, each time: `visits.push(v); sum = visits.reduce(…)`. */
export interface Retracing {
  /** The list: `this.visits`. */
  readonly what: string;
  readonly walks: readonly Walk[];
}

/**
 * What the function around a position goes over each time it (or `caller`, which always calls it) adds a piece.
 * Batches that are dropped when they are full, and what is only gone over under a condition, are none.
 */
export function retracings(text: string, position: TextPosition, caller?: TextPosition): Retracing | undefined {
  const syntax = syntaxOf(text);
  const own = functionAround(syntax, offsetOf(syntax, position));
  const adder = caller ? functionAround(syntax, offsetOf(syntax, caller)) : own;
  if (own === -1 || adder === -1) return undefined;
  const ofAdder = nodesOf(syntax, adder);
  if (adder !== own && !ofAdder.some(index => calls(syntax, index, own) && isAlways(syntax, index, adder)))
    return undefined;
  for (const what of new Set(ofAdder.flatMap(index => addedAt(syntax, index) ?? []))) {
    if (isLocal(syntax, ofAdder, what) || isDropped(text, what)) continue;
    const walks = walksOver(syntax, own, what);
    if (walks.length > 0) return { what, walks };
  }
  return undefined;
}

/** Indices of the nodes directly inside of a function, those of its callbacks left out. */
const nodesOf = (syntax: Syntax, own: number): number[] =>
  syntax.nodes.flatMap((_, index) => (syntax.around[index] === own ? [index] : []));

const ADDED = /^(.+)\.(?:push|unshift|add|set)$/;
/** What leads from one list to another as long as it, or looks at each of its entries. */
const OVER_ALL =
  /^(.+)\.(?:map|filter|reduce|reduceRight|forEach|some|every|find|findIndex|findLast|indexOf|includes|flatMap|sort|toSorted|join|entries|values|keys)$/;
const OF_ALL = /^(?:Array\.from|Object\.(?:keys|values|entries|fromEntries)|JSON\.stringify|structuredClone|Set|Map)$/;

const calleeOf = (syntax: Syntax, node: SyntaxNode): string | undefined =>
  (node.type === 'CallExpression' || node.type === 'NewExpression') && isNode(node.callee)
    ? chainText(syntax, node.callee)
    : undefined;

function calls(syntax: Syntax, index: number, own: number): boolean {
  const name = /[\w$]+$/.exec(calleeOf(syntax, syntax.nodes[index]!) ?? '')?.[0];
  const at = syntax.parents[own] ?? -1;
  const named = syntax.nodes[own]?.id ?? syntax.nodes[at]?.key ?? syntax.nodes[at]?.id;
  return name !== undefined && isNode(named) && textOf(syntax, named).replace(/^#/, '') === name;
}

/** The list that a piece is added to: by a method, or by a copy with one more in its place. */
function addedAt(syntax: Syntax, index: number): string | undefined {
  const node = syntax.nodes[index]!;
  const [, target] = ADDED.exec(calleeOf(syntax, node) ?? '') ?? [];
  if (target !== undefined || node.type !== 'AssignmentExpression' || node.operator !== '=') return target;
  if (!isNode(node.left) || !isNode(node.right)) return undefined;
  const name = chainText(syntax, node.left);
  return spreadsOf(syntax, node.right).includes(name) || textOf(syntax, node.right).startsWith(`${name}.concat(`)
    ? name
    : undefined;
}

/** Names spread at the head of an expression: `[...rows, row]`, also with `.slice(-9)` behind it. */
function spreadsOf(syntax: Syntax, value: SyntaxNode): string[] {
  if (value.type === 'CallExpression' && isNode(value.callee) && isNode(value.callee.object))
    return spreadsOf(syntax, value.callee.object);
  const parts = Array.isArray(value.elements) ? value.elements.filter(isNode) : [];
  return parts.flatMap(part =>
    part.type === 'SpreadElement' && isNode(part.argument) ? [chainText(syntax, part.argument)] : [],
  );
}

/** True for a name that the function makes anew, and for what it was handed: that may be filled only once. */
function isLocal(syntax: Syntax, nodes: readonly number[], what: string): boolean {
  if (what.startsWith('this.')) return false;
  const root = /^[\w$]+/.exec(what)?.[0];
  if (root === undefined) return true;
  const made = nodes.some(index => {
    const { type, id, init } = syntax.nodes[index]!;
    const isFresh = !isNode(init) || root === what || /^(?:Object|Array|New)Expression$/.test(init.type);
    return type === 'VariableDeclarator' && isNode(id) && textOf(syntax, id) === root && isFresh;
  });
  const own = syntax.nodes[syntax.around[nodes[0] ?? -1] ?? -1];
  const handed = Array.isArray(own?.params) ? own.params.filter(isNode) : [];
  return made || handed.some(param => textOf(syntax, param) === root);
}

/** A list that is dropped as a whole holds a batch: each piece is gone over once or a few times. */
function isDropped(text: string, what: string): boolean {
  const name = /[\w$]+$/.exec(what)?.[0];
  return name === undefined || emptyingsOf(text, name).some(({ whole, byTimer }) => whole || byTimer);
}

/** What goes over the list, or over another that was made of all of it, whenever the function runs. */
function walksOver(syntax: Syntax, own: number, what: string): Walk[] {
  const made = new Set([what]);
  const walks: SyntaxNode[] = [];
  for (const index of nodesOf(syntax, own)) {
    const node = syntax.nodes[index]!;
    if (!isOverAll(syntax, node, made) || !isAlways(syntax, index, own, what)) continue;
    if (!walks.some(outer => isWithin(node, outer))) walks.push(node);
    const declared = declaredBy(syntax, index, own);
    if (declared) made.add(declared);
  }
  return walks.map(node => ({
    ...positionOf(syntax, node.start),
    endLine0: positionOf(syntax, node.end).line0,
    code: textOf(syntax, node),
  }));
}

function isOverAll(syntax: Syntax, node: SyntaxNode, made: ReadonlySet<string>): boolean {
  const isMade = (value: unknown): boolean => isNode(value) && made.has(chainText(syntax, value));
  if (node.type === 'ForOfStatement') return isMade(node.right);
  if (node.type === 'SpreadElement') return isMade(node.argument);
  const callee = calleeOf(syntax, node);
  if (callee === undefined) return false;
  const [first] = Array.isArray(node.arguments) ? node.arguments : [];
  return made.has(OVER_ALL.exec(callee)?.[1] ?? '') || (OF_ALL.test(callee) && isMade(first));
}

/** `prices` of `const prices = rows.map(…).filter(…)`. */
function declaredBy(syntax: Syntax, index: number, own: number): string | undefined {
  for (let at = index; at !== own && at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (node?.type === 'VariableDeclarator' && isNode(node.id)) return chainText(syntax, node.id);
  }
  return undefined;
}

/** True for what runs each time: under no condition, and behind none that leaves the function because of the list. */
function isAlways(syntax: Syntax, index: number, own: number, what?: string): boolean {
  for (let at = index; at !== own && at >= 0; at = syntax.parents[at] ?? -1) {
    const [node, parent] = [syntax.nodes[at], syntax.nodes[syntax.parents[at] ?? -1]];
    if (parent && CONDITIONAL.test(parent.type) && parent.test !== node && parent.left !== node) return false;
  }
  const before = syntax.nodes[index]!.start;
  return !nodesOf(syntax, own).some(at => {
    const { type, end, test, consequent } = syntax.nodes[at]!;
    const leaves = type === 'IfStatement' && end <= before && isNode(consequent) && isNode(test);
    return leaves && /^\{?\s*return\b/.test(textOf(syntax, consequent)) && isAbout(textOf(syntax, test), what);
  });
}

const CONDITIONAL = /^(?:IfStatement|ConditionalExpression|LogicalExpression|SwitchCase|CatchClause)$/;

/** A condition on how much there is, or on the clock: the work is done now and then. */
const isAbout = (test: string, what: string | undefined): boolean =>
  (what !== undefined && test.includes(what)) || /length|size|count|now|time|last|since|due/i.test(test);
