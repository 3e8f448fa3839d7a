import { callName, chainText } from './names.js';
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

/** A call, construction, regular expression or comparison that stands on a line. */
export interface CallSite extends TextPosition {
  /** The callee with its chain, `JSON.parse` or `items.sort`; for a regular expression its literal. */
  readonly callee: string;
  /** The last name of the callee: `parse`, `sort`. */
  readonly method: string;
  /** Callee with a leading string argument, as a person would say it: `require('./x')`. */
  readonly label: string;
  readonly kind: 'call' | 'new' | 'regexp' | 'spread' | 'template';
  /** True where its answer decides whether a loop goes on: `while (Date.now() < end)`. */
  readonly endsLoop: boolean;
  /** Index of the syntax node of the innermost function around it; −1 at the top level. */
  readonly within: number;
}

const KINDS: { readonly [type: string]: CallSite['kind'] } = {
  CallExpression: 'call',
  NewExpression: 'new',
  SpreadElement: 'spread',
  TaggedTemplateExpression: 'template',
};

const sites = new WeakMap<Syntax, readonly CallSite[]>();

/** Every call site of a text, in source order. */
export function callSites(text: string): readonly CallSite[] {
  const syntax = syntaxOf(text);
  const known = sites.get(syntax);
  if (known) return known;
  const found = syntax.nodes.flatMap((node, index) => siteOf(syntax, node, index) ?? []);
  sites.set(syntax, found);
  return found;
}

function siteOf(syntax: Syntax, node: SyntaxNode, index: number): CallSite | undefined {
  const kind = kindOf(node);
  if (!kind) return undefined;
  const subject =
    kind === 'spread' ? node.argument : kind === 'template' ? node.tag : kind === 'regexp' ? node : node.callee;
  if (!isNode(subject)) return undefined;
  const callee = chainText(syntax, subject);
  return {
    callee,
    kind,
    method: /([\w$#]+)(?:\(\))?$/.exec(callee)?.[1] ?? callee,
    label: kind === 'call' || kind === 'new' ? callName(syntax, node) : callee,
    endsLoop: kind === 'call' && endsLoop(syntax, index),
    within: syntax.around[index] ?? -1,
    ...positionOf(syntax, anchorOf(subject)),
  };
}

/** In the test of a loop, or of an `if` within one that leaves it. */
function endsLoop(syntax: Syntax, index: number): boolean {
  let child = index;
  for (let at = syntax.parents[index] ?? -1; at !== -1; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (!node || /Function|Class|Program/.test(node.type)) return false;
    const inTest = node.test !== undefined && node.test === syntax.nodes[child];
    if (inTest && /^(While|DoWhile|For)Statement$/.test(node.type)) return true;
    if (inTest && node.type === 'IfStatement' && leavesLoop(node)) return true;
    if (/Statement$/.test(node.type)) return false;
    child = at;
  }
  return false;
}

function leavesLoop(condition: SyntaxNode): boolean {
  const then = condition.consequent;
  const body = isNode(then) && Array.isArray(then.body) ? then.body : [then];
  return body.some(each => isNode(each) && each.type === 'BreakStatement');
}

function kindOf(node: SyntaxNode): CallSite['kind'] | undefined {
  return node.type === 'Literal' && node.regex ? 'regexp' : KINDS[node.type];
}

/** V8 and people point at the called name, not at the beginning of its chain over several lines. */
function anchorOf(callee: SyntaxNode): number {
  return callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property.start : callee.start;
}

/** The call sites on one line, in source order. */
export function callsOnLine(text: string, line0: number): CallSite[] {
  return callSites(text).filter(site => site.line0 === line0);
}

/**
 * The call sites on a line that stand inside of the function defined around a position, its inner functions included;
 * all of the line's when the line lies outside of that function (V8 had inlined another one).
 */
export function callsOnLineOf(text: string, line0: number, definition: TextPosition): CallSite[] {
  const syntax = syntaxOf(text);
  const own = syntax.nodes[functionAround(syntax, offsetOf(syntax, definition))];
  const onLine = callsOnLine(text, line0);
  if (!own || line0 < positionOf(syntax, own.start).line0 || line0 > positionOf(syntax, own.end).line0) return onLine;
  return onLine.filter(site => isBetween(own, offsetOf(syntax, site)));
}

const isBetween = (node: SyntaxNode, offset: number): boolean => offset > node.start && offset < node.end;

/** The call sites directly inside the function that is defined around a position, nested functions left out. */
export function callsInFunction(text: string, line0: number, column0: number): CallSite[] {
  const syntax = syntaxOf(text);
  const within = functionAround(syntax, offsetOf(syntax, { line0, column0 }));
  return callSites(text).filter(site => site.within === within);
}

/**
 * The call a position means: with a column the nearest call that begins at or before it on that line, without one the
 * line's first; undefined when the line calls nothing or the text can't be parsed.
 */
export function callAt(text: string, line0: number, column0?: number): CallSite | undefined {
  const onLine = callsOnLine(text, line0).filter(site => site.kind === 'call' || site.kind === 'new');
  if (column0 === undefined) return onLine[0];
  const awaited = awaitedAt(text, { line0, column0 });
  if (awaited) return awaited;
  const before = onLine.filter(site => site.column0 <= column0);
  return before.sort((a, b) => b.column0 - a.column0)[0] ?? onLine[0];
}

/** Who stands at an `await` is not in the call around it, but waits for the call behind it. */
function awaitedAt(text: string, position: TextPosition): CallSite | undefined {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const argument = syntax.nodes.find(({ type, start }) => type === 'AwaitExpression' && start === offset)?.argument;
  if (!isNode(argument) || argument.type !== 'CallExpression' || !isNode(argument.callee)) return undefined;
  const called = anchorOf(argument.callee);
  return callSites(text).find(site => site.kind === 'call' && offsetOf(syntax, site) === called);
}
