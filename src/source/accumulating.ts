import { chainText, textOf } from './names.js';
import {
  functionAround,
  isNode,
  offsetOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** Where a function copies all it has gathered in order to add one piece: `body = Buffer.concat([body, chunk])`. */
export interface Accumulation extends TextPosition {
  /** What grows and is copied: `body`. */
  readonly what: string;
  /** The copy as written. */
  readonly code: string;
  /** 0-based last line of the expression. */
  readonly endLine0: number;
}

/** The accumulations directly inside of the function defined around a position, and of reducers that it hands on. */
export function accumulations(text: string, { line0, column0 }: TextPosition): Accumulation[] {
  const syntax = syntaxOf(text);
  const own = functionAround(syntax, offsetOf(syntax, { line0, column0 }));
  return syntax.nodes.flatMap((node, index) => {
    const around = syntax.around[index] ?? -1;
    if (around !== own && (syntax.around[around] ?? -1) !== own) return [];
    return accumulationAt(syntax, node, around) ?? [];
  });
}

function accumulationAt(syntax: Syntax, node: SyntaxNode, around: number): Accumulation | undefined {
  if (node.type === 'AssignmentExpression' && node.operator === '=' && isNode(node.left) && isNode(node.right)) {
    const target = chainText(syntax, node.left);
    return copies(syntax, node.right, target) ? told(syntax, node, target) : undefined;
  }
  const carried = reducersCarry(syntax, around);
  const result = carried && resultOf(syntax, node, around);
  return carried && result && copies(syntax, result, carried) ? told(syntax, result, carried) : undefined;
}

/**
 * Where the function defined around a position, or the one whose `sort` it serves as comparator, adds to a list and
 * sorts all of it: `queue.push(job); queue.sort(byDue)`.
 */
export function resorts(text: string, { line0, column0 }: TextPosition): Accumulation | undefined {
  const syntax = syntaxOf(text);
  const own = functionAround(syntax, offsetOf(syntax, { line0, column0 }));
  const isComparator = SORTED.test(calleeOf(syntax, syntax.nodes[syntax.parents[own] ?? -1]) ?? '');
  const within = isComparator ? (syntax.around[own] ?? -1) : own;
  const calls = syntax.nodes.flatMap((node, index) => {
    const callee = (syntax.around[index] ?? -1) === within ? calleeOf(syntax, node) : undefined;
    return callee === undefined ? [] : [{ node, callee }];
  });
  const added = new Set(calls.flatMap(({ callee }) => ADDED.exec(callee)?.[1] ?? []));
  const found = calls.find(({ callee }) => added.has(SORTED.exec(callee)?.[1] ?? ''));
  const target = SORTED.exec(found?.callee ?? '')?.[1];
  if (within === -1 || !found || target === undefined || isLocal(syntax, within, target)) return undefined;
  const { code, endLine0 } = told(syntax, found.node, target);
  const { callee } = found.node;
  const at = isNode(callee) && isNode(callee.property) ? callee.property.start : found.node.start;
  return { what: target, code, endLine0, ...positionOf(syntax, at) };
}

const ADDED = /^(.+)\.(?:push|unshift)$/;
const SORTED = /^(.+)\.(?:sort|toSorted)$/;

const calleeOf = (syntax: Syntax, node: SyntaxNode | undefined): string | undefined =>
  node?.type === 'CallExpression' && isNode(node.callee) ? chainText(syntax, node.callee) : undefined;

/** True for a list that the function makes anew: it is filled and sorted once. */
function isLocal(syntax: Syntax, within: number, target: string): boolean {
  return syntax.nodes.some(
    (node, index) =>
      node.type === 'VariableDeclarator' &&
      syntax.around[index] === within &&
      isNode(node.id) &&
      chainText(syntax, node.id) === target,
  );
}

function told(syntax: Syntax, node: SyntaxNode, what: string): Accumulation {
  return {
    what,
    code: textOf(syntax, node),
    endLine0: positionOf(syntax, node.end).line0,
    ...positionOf(syntax, node.start),
  };
}

/** True for an expression that makes a new whole of the old one and something else. */
function copies(syntax: Syntax, value: SyntaxNode, target: string): boolean {
  const isTarget = (node: unknown): boolean => isNode(node) && chainText(syntax, node) === target;
  if (value.type === 'ArrayExpression') return (listOf(value.elements) ?? []).some(each => spreads(each, isTarget));
  if (value.type === 'ObjectExpression') return (listOf(value.properties) ?? []).some(each => spreads(each, isTarget));
  const given = listOf(value.arguments);
  if (!given || !isNode(value.callee)) return false;
  const callee = chainText(syntax, value.callee);
  const [first] = given;
  if (value.type === 'NewExpression')
    return /^(Set|Map)$/.test(callee) && first !== undefined && copies(syntax, first, target);
  if (callee === `${target}.concat`) return true;
  if (callee === 'Object.assign') return first?.type === 'ObjectExpression' && given.slice(1).some(isTarget);
  if (callee !== 'Buffer.concat') return false;
  return first?.type === 'ArrayExpression' && (listOf(first.elements) ?? []).some(isTarget);
}

const spreads = (node: SyntaxNode, isTarget: (node: unknown) => boolean): boolean =>
  node.type === 'SpreadElement' && isTarget(node.argument);

const listOf = (value: unknown): SyntaxNode[] | undefined => (Array.isArray(value) ? value.filter(isNode) : undefined);

/** The name of what a reducer carries on, when the function is the first argument of `reduce`. */
function reducersCarry(syntax: Syntax, around: number): string | undefined {
  const reducer = syntax.nodes[around];
  const call = syntax.nodes[syntax.parents[around] ?? -1];
  if (!reducer || call?.type !== 'CallExpression' || listOf(call.arguments)?.[0] !== reducer) return undefined;
  if (!isNode(call.callee) || !/\.reduce(Right)?$/.test(chainText(syntax, call.callee))) return undefined;
  const [carried] = listOf(reducer.params) ?? [];
  return carried?.type === 'Identifier' ? String(carried.name) : undefined;
}

/** What a function gives back at a node: the argument of a `return`, or an arrow's expression. */
function resultOf(syntax: Syntax, node: SyntaxNode, around: number): SyntaxNode | undefined {
  if (node.type === 'ReturnStatement') return isNode(node.argument) ? node.argument : undefined;
  return syntax.nodes[around]?.body === node && node.type !== 'BlockStatement' ? node : undefined;
}
