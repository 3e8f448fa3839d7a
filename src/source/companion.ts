import { lastName } from './emptying.js';
import { functionName } from './names.js';
import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Where a collection loses entries once something that is counted beside it is too much. */
export interface CompanionCheck extends TextPosition {
  /** The limit as it is written: `3600`, `MOST`, `this.max`; undefined where it may not be one of entries. */
  readonly limit?: string;
  /** The other collection whose length is compared; undefined for a count, and for its own. */
  readonly companion?: string;
}

const REMOVING = new Set(['delete', 'clear', 'shift', 'pop', 'splice']);
const ADDING = new Set(['push', 'unshift']);
/** What is compared may be an age, which bounds no number. */
const AGE = /age|time|ms$|elapsed|delay|since|until|expir/i;
/** The check calls `trim`, which calls `drop`. */
const MOST_CALLS = 2;

/** `if (order.length > MOST) byTime.delete(order.shift())`, `list.push(x) > MOST && list.shift()`: undefined without one. */
export function companionCheck(text: string, name: string): CompanionCheck | undefined {
  const syntax = syntaxOf(text);
  const removals = new Removals(syntax, name);
  if (removals.none) return undefined;
  for (const node of syntax.nodes) {
    const branch = branchOf(node);
    const check = branch && limitIn(syntax, branch.test, name);
    if (check && removals.isIn(branch.body, MOST_CALLS)) return { ...positionOf(syntax, node.start), ...check };
  }
  return undefined;
}

function branchOf({ type, test, consequent, body, operator, left, right }: SyntaxNode) {
  const [asked, done] =
    type === 'IfStatement' || type === 'ConditionalExpression'
      ? [test, consequent]
      : type === 'WhileStatement'
        ? [test, body]
        : operator === '&&'
          ? [left, right]
          : [];
  return isNode(asked) && isNode(done) ? { test: asked, body: done } : undefined;
}

function limitIn({ text }: Syntax, { type, operator, left, right }: SyntaxNode, name: string) {
  if (type !== 'BinaryExpression' || (operator !== '>' && operator !== '>=')) return undefined;
  if (!isNode(left) || !isNode(right)) return undefined;
  const counted = countedBy(left);
  if (counted === undefined) return undefined;
  const limit = text.slice(right.start, right.end);
  return {
    ...(counted.inEntries && { limit }),
    ...(counted.of !== undefined && counted.of !== name && { companion: counted.of }),
  };
}

/** `order.length`, `set.size`, `list.push(x)` count a collection; `count` and `++this.count` are counts. */
function countedBy(node: SyntaxNode): { readonly of?: string; readonly inEntries: boolean } | undefined {
  const { type, callee, argument } = node;
  if (type === 'CallExpression' && isNode(callee) && callee.type === 'MemberExpression') {
    const of = ADDING.has(lastName(callee.property) ?? '') ? lastName(callee.object) : undefined;
    return of === undefined ? undefined : { of, inEntries: true };
  }
  const counted = type === 'UpdateExpression' && isNode(argument) ? argument : node;
  const own = lastName(counted);
  if (own === undefined || AGE.test(own)) return undefined;
  const of = /^(?:length|size)$/.test(own) ? lastName(counted.object) : undefined;
  // What is added to elsewhere may count bytes.
  return of === undefined ? { inEntries: type === 'UpdateExpression' } : { of, inEntries: true };
}

/** Where a collection loses entries, asked for many pieces of a text: in a minified bundle half of it calls half of it. */
class Removals {
  private readonly places: readonly SyntaxNode[];
  private readonly calls: readonly SyntaxNode[];
  private readonly named = new Map<string, SyntaxNode[]>();
  private readonly known = new Map<SyntaxNode, number>();

  constructor(syntax: Syntax, name: string) {
    this.places = syntax.nodes.filter(node => isRemoval(node, name));
    this.calls = this.none ? [] : syntax.nodes.filter(({ type }) => type === 'CallExpression');
    for (const index of this.none ? [] : syntax.functions) {
      const own = functionName(syntax, index).split('.').at(-1) ?? '';
      const node = syntax.nodes[index];
      const alike = this.named.get(own);
      if (node && alike) alike.push(node);
      else if (node) this.named.set(own, [node]);
    }
  }

  get none(): boolean {
    return this.places.length === 0;
  }

  /** In the body itself, or in a function of the text that it calls, over at most so many calls. */
  isIn(body: SyntaxNode, calls: number): boolean {
    const failed = this.known.get(body);
    if (failed !== undefined && failed >= calls) return false;
    if (within(this.places, body).length > 0) return true;
    const called = new Set(calls > 0 ? within(this.calls, body).flatMap(({ callee }) => lastName(callee) ?? []) : []);
    const found = [...called].some(own => this.named.get(own)?.some(next => this.isIn(next, calls - 1)));
    if (!found) this.known.set(body, calls);
    return found;
  }
}

/** Nodes stand in source order. */
function within(nodes: readonly SyntaxNode[], { start, end }: SyntaxNode): readonly SyntaxNode[] {
  let [low, high] = [0, nodes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  const found: SyntaxNode[] = [];
  for (let at = low; (nodes[at]?.start ?? end) < end; at++) found.push(nodes[at] as SyntaxNode);
  return found.filter(node => node.end <= end);
}

function isRemoval({ type, operator, callee, argument }: SyntaxNode, name: string): boolean {
  if (type === 'UnaryExpression' && operator === 'delete')
    return isNode(argument) && argument.type === 'MemberExpression' && lastName(argument.object) === name;
  if (type !== 'CallExpression' || !isNode(callee) || callee.type !== 'MemberExpression') return false;
  return REMOVING.has(lastName(callee.property) ?? '') && lastName(callee.object) === name;
}
