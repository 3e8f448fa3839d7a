import { type Node, type Options, parse } from 'acorn';

/** A syntax node with every property readable by name; acorn's union of node types is closed and knows no parents. */
export type SyntaxNode = Node & { readonly [property: string]: unknown };

/** A position in the text V8 compiled, 0-based as V8 counts. */
export interface TextPosition {
  readonly line0: number;
  readonly column0: number;
}

/** One parsed text as flat arrays: nodes in source order (parents before children), each with its parent's index. */
export interface Syntax {
  readonly text: string;
  readonly lineStarts: Uint32Array;
  readonly nodes: readonly SyntaxNode[];
  /** Index of the parent in `nodes`, −1 for the program. */
  readonly parents: Int32Array;
  /** Index of the innermost function around a node (not itself), −1 at the top level. */
  readonly around: Int32Array;
  /** Indices of all functions, in source order. */
  readonly functions: readonly number[];
  /** False when the text could not be parsed: then only lines are known. */
  readonly parsed: boolean;
}

/** Beyond this acorn needs seconds and a gigabyte; such bundles are read line by line instead. */
const MAX_PARSED_CHARACTERS = 8_000_000;

/** Texts kept parsed; a run looks at a handful of files again and again. */
const KEPT = 24;
const cache = new Map<string, Syntax>();

const LENIENT: Options = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowHashBang: true,
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowSuperOutsideMethod: true,
  checkPrivateFields: false,
};

export const isWithin = ({ start, end }: SyntaxNode, outer: SyntaxNode): boolean =>
  outer.start <= start && end <= outer.end;

/** Parses leniently and remembers; never throws. */
export function syntaxOf(text: string): Syntax {
  const known = cache.get(text);
  if (known) return known;
  const syntax = build(text);
  if (cache.size >= KEPT) cache.delete(cache.keys().next().value ?? '');
  cache.set(text, syntax);
  return syntax;
}

function build(text: string): Syntax {
  const program = text.length <= MAX_PARSED_CHARACTERS ? parseLeniently(text) : undefined;
  const lineStarts = lineStartsOf(text);
  if (!program)
    return {
      text,
      lineStarts,
      nodes: [],
      parents: new Int32Array(0),
      around: new Int32Array(0),
      functions: [],
      parsed: false,
    };
  return { text, lineStarts, ...flatten(program), parsed: true };
}

function parseLeniently(text: string): SyntaxNode | undefined {
  for (const sourceType of ['script', 'module'] as const) {
    try {
      // acorn's Program is a Node whose properties are read by name here.
      return parse(text, { ...LENIENT, sourceType }) as unknown as SyntaxNode;
    } catch {
      // The other kind of source may fit.
    }
  }
  return undefined;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Iterative: minified code nests deeper than a call stack. */
function flatten(program: SyntaxNode): Pick<Syntax, 'nodes' | 'parents' | 'around' | 'functions'> {
  const nodes: SyntaxNode[] = [];
  const parents: number[] = [];
  const around: number[] = [];
  const functions: number[] = [];
  const waiting: { node: SyntaxNode; parent: number }[] = [{ node: program, parent: -1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const index = nodes.push(next.node) - 1;
    parents.push(next.parent);
    const inFunction = FUNCTIONS.has(nodes[next.parent]?.type ?? '');
    around.push(inFunction ? next.parent : (around[next.parent] ?? -1));
    if (FUNCTIONS.has(next.node.type)) functions.push(index);
    for (const child of childrenOf(next.node).reverse()) waiting.push({ node: child, parent: index });
  }
  return { nodes, parents: Int32Array.from(parents), around: Int32Array.from(around), functions };
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const key in node) {
    const value = node[key];
    if (Array.isArray(value)) children.push(...value.filter(isNode));
    else if (isNode(value)) children.push(value);
  }
  return children.length > 1 ? children.sort((a, b) => a.start - b.start) : children;
}

/** True for a syntax node among a node's properties. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function lineStartsOf(text: string): Uint32Array {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return Uint32Array.from(starts);
}

/** Character offset of a position, cut to the text. */
export function offsetOf(syntax: Syntax, { line0, column0 }: TextPosition): number {
  const start = syntax.lineStarts[line0];
  return start === undefined ? syntax.text.length : Math.min(start + column0, syntax.text.length);
}

/** Position of a character offset. */
export function positionOf(syntax: Syntax, offset: number): TextPosition {
  let low = 0;
  let high = syntax.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((syntax.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line0: low, column0: offset - (syntax.lineStarts[low] ?? 0) };
}

/** The text of one line without its end; empty beyond the text. */
export function lineText(text: string, line0: number): string {
  const { lineStarts } = syntaxOf(text);
  const start = lineStarts[line0];
  if (start === undefined) return '';
  return text.slice(start, lineStarts[line0 + 1] ?? text.length).replace(/\r?\n$/, '');
}

/** The parent of a node by its index. */
export function parentOf(syntax: Syntax, index: number): SyntaxNode | undefined {
  return syntax.nodes[syntax.parents[index] ?? -1];
}

/** Index of the innermost function around an offset, −1 at the top level. */
export function functionAround(syntax: Syntax, offset: number): number {
  let found = -1;
  for (const index of syntax.functions) {
    const node = syntax.nodes[index];
    if (!node || node.start > offset) break;
    if (offset < node.end) found = index;
  }
  return found;
}
