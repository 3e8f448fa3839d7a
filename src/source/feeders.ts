import { enclosingFunction } from './names.js';
import { isNode, lineText, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A place in code that makes a collection grow. */
export interface Feeder extends TextPosition {
  /** `set`, `push`, `[key] =`, `on`, `concat` … */
  readonly how: string;
  /** The source line, trimmed. */
  readonly code: string;
  /** Function around it; undefined at the top level. */
  readonly function?: string;
}

/** Methods after which a collection, emitter or list holds more than before. */
const GROWING = new Set([
  'set', 'add', 'push', 'unshift', 'append', 'enqueue', 'insert', 'put', 'store', 'save', 'splice',
  'on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'addEventListener', 'subscribe',
]); // biome-ignore format: a list of names

/**
 * Mutations that make `variable` (or the collection at `propertyPath` below it) grow, the likeliest first. Names are
 * compared, not scopes; one alias (`const m = cache`) is followed.
 */
export function feedersOf(text: string, variable: string, propertyPath: readonly string[] = []): Feeder[] {
  const syntax = syntaxOf(text);
  const wanted = [...variable.split('.').filter(part => part !== 'this'), ...propertyPath.filter(isName)];
  const names = [wanted, ...aliasesOf(syntax, wanted)];
  const found = syntax.nodes.flatMap(node => feeding(syntax, node, names) ?? []);
  return found.sort((a, b) => b.likeness - a.likeness).map(({ feeder }) => feeder);
}

const SUBSCRIBING = new Set([
  'on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'addEventListener', 'subscribe',
]); // biome-ignore format: a list of names

/** Calls that register a listener of `event`, in source order: `bus.on('tick', …)`, `on(bus, 'tick')` of node:events. */
export function subscriptionsOf(text: string, event: string): (Feeder & { readonly endLine0: number })[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap(node => {
    const call = node.type === 'CallExpression' ? (growingCall(node) ?? plainCall(node)) : undefined;
    const args: unknown[] = Array.isArray(node.arguments) ? node.arguments : [];
    const named = args[isNode(node.callee) && node.callee.type === 'Identifier' ? 1 : 0];
    if (!call || !SUBSCRIBING.has(call.how) || !isNode(named) || named.value !== event) return [];
    return [{ ...feederAt(syntax, call.at, call.how), endLine0: positionOf(syntax, node.end).line0 }];
  });
}

/** Calls of `performance.mark` and `performance.measure`, which Node remembers, in source order. */
export function timingsOf(text: string): Feeder[] {
  const syntax = syntaxOf(text);
  return syntax.nodes.flatMap(node => {
    const chain = node.type === 'CallExpression' && isNode(node.callee) ? chainOf(node.callee) : [];
    const [how] = chain.slice(-1);
    const isTiming = /^perf/i.test(chain.at(-2) ?? '') && (how === 'mark' || how === 'measure');
    return isTiming && how !== undefined ? [feederAt(syntax, node, how)] : [];
  });
}

/** `on(bus, 'tick')`: the emitter is the first argument. */
function plainCall(node: SyntaxNode): Mutation | undefined {
  const [holder] = Array.isArray(node.arguments) ? node.arguments : [];
  if (!isNode(node.callee) || node.callee.type !== 'Identifier' || !isNode(holder)) return undefined;
  return { holder, at: node.callee, how: String(node.callee.name) };
}

/** Entries' keys and indices (`[0]`, `"id-17"`) are data, not names in code. */
function isName(part: string): boolean {
  return /^#?[A-Za-z_$][\w$]*$/.test(part);
}

function aliasesOf(syntax: Syntax, wanted: readonly string[]): string[][] {
  return syntax.nodes.flatMap(node => {
    if (node.type !== 'VariableDeclarator' || !isNode(node.id) || !isNode(node.init)) return [];
    if (node.id.type !== 'Identifier' || likeness(chainOf(node.init), [wanted]) < 2) return [];
    return [[String(node.id.name)]];
  });
}

interface Found {
  readonly feeder: Feeder;
  readonly likeness: number;
}

function feeding(syntax: Syntax, node: SyntaxNode, names: readonly (readonly string[])[]): Found | undefined {
  const mutation = mutationOf(node);
  if (!mutation) return undefined;
  const alike = likeness(chainOf(mutation.holder), names);
  return alike === 0 ? undefined : { likeness: alike, feeder: feederAt(syntax, mutation.at, mutation.how) };
}

function feederAt(syntax: Syntax, at: SyntaxNode, how: string): Feeder {
  const position = positionOf(syntax, at.start);
  const around = enclosingFunction(syntax.text, position.line0, position.column0)?.name;
  const code = lineText(syntax.text, position.line0).trim().slice(0, 160);
  return { ...position, how, code, ...(around === undefined ? {} : { function: around }) };
}

interface Mutation {
  readonly holder: SyntaxNode;
  readonly at: SyntaxNode;
  readonly how: string;
}

function mutationOf(node: SyntaxNode): Mutation | undefined {
  if (node.type === 'CallExpression') return growingCall(node);
  if (node.type === 'AssignmentExpression') return keyedAssignment(node) ?? rebuilding(node);
  return undefined;
}

function growingCall(node: SyntaxNode): Mutation | undefined {
  const callee = node.callee;
  if (!isNode(callee) || callee.type !== 'MemberExpression' || !isNode(callee.object) || !isNode(callee.property))
    return undefined;
  const method = String(callee.property.name);
  if (method === 'set' && isCompiledField(node)) return undefined;
  return GROWING.has(method) ? { holder: callee.object, at: callee.property, how: method } : undefined;
}

/** `_Books_journal.set(this, [])`: how compilers write a #private field. */
function isCompiledField({ callee, arguments: args }: SyntaxNode): boolean {
  const [holder = ''] = isNode(callee) ? chainOf(callee) : [];
  return holder.startsWith('_') && Array.isArray(args) && args[0]?.type === 'ThisExpression';
}

/** `cache[key] = …`: grows with each new key; a constant key doesn't. */
function keyedAssignment(node: SyntaxNode): Mutation | undefined {
  const left = node.left;
  if (!isNode(left) || left.type !== 'MemberExpression' || !left.computed || !isNode(left.object)) return undefined;
  const constant = isNode(left.property) && left.property.type === 'Literal';
  return constant ? undefined : { holder: left.object, at: left, how: '[key] =' };
}

/** `list = [...list, x]`, `list = list.concat(x)`, `text += more`, `map = { ...map, [k]: v }`. */
function rebuilding(node: SyntaxNode): Mutation | undefined {
  const { left, right } = node;
  if (!isNode(left) || !isNode(right)) return undefined;
  if (node.operator === '+=') return { holder: left, at: left, how: '+=' };
  const own = chainOf(left).join('.');
  const spread = [right.elements, right.properties].flatMap(list => (Array.isArray(list) ? list : []));
  const again = spread.some(item => isNode(item) && isNode(item.argument) && chainOf(item.argument).join('.') === own);
  if (again) return { holder: left, at: left, how: 'spread' };
  return right.type === 'CallExpression' && chainOf(right).join('.').startsWith(`${own}.concat`)
    ? { holder: left, at: left, how: 'concat' }
    : undefined;
}

/** Names of a member chain, outermost first: `this.pool.queue` → [this, pool, queue]; calls and keys are passed through. */
function chainOf(node: SyntaxNode): string[] {
  switch (node.type) {
    case 'Identifier':
      return [String(node.name)];
    case 'PrivateIdentifier':
      return [`#${String(node.name)}`];
    case 'ThisExpression':
      return ['this'];
    case 'MemberExpression':
      if (!isNode(node.object) || !isNode(node.property)) return [];
      return node.computed ? chainOf(node.object) : [...chainOf(node.object), ...chainOf(node.property)];
    case 'CallExpression':
      return compiledField(node) ?? (isNode(node.callee) ? chainOf(node.callee) : []);
    case 'ChainExpression':
    case 'AwaitExpression':
      return [node.expression, node.argument].flatMap(inner => (isNode(inner) ? chainOf(inner) : []));
    case 'LogicalExpression':
    case 'AssignmentExpression':
      return isNode(node.left) ? chainOf(node.left) : [];
    default:
      return [];
  }
}

/** `__classPrivateFieldGet(this, _Books_journal, "f")`: what compilers make of `this.#journal`. */
function compiledField({ callee, arguments: args }: SyntaxNode): string[] | undefined {
  if (!isNode(callee) || !/[cC]lassPrivateFieldGet2?$/.test(String(chainOf(callee).at(-1)))) return undefined;
  const field: unknown = Array.isArray(args) ? (args[0]?.type === 'Identifier' ? args[0] : args[1]) : undefined;
  return isNode(field) ? ['this', ...chainOf(field)] : undefined;
}

/** 3: ends in all wanted names; 2: ends in the last of them; 1: contains the first (`sessions.get(id).push`); 0: unrelated. */
function likeness(chain: readonly string[], names: readonly (readonly string[])[]): number {
  return Math.max(0, ...names.map(wanted => likenessTo(chain, wanted)));
}

function likenessTo(chain: readonly string[], wanted: readonly string[]): number {
  const last = wanted.at(-1);
  if (last === undefined || chain.length === 0) return 0;
  const tail = chain.slice(-wanted.length);
  if (tail.length === wanted.length && tail.every((name, at) => name === wanted[at])) return 3;
  if (chain.at(-1) === last) return 2;
  return wanted[0] !== undefined && chain.includes(wanted[0]) ? 1 : 0;
}
