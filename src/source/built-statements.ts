import { isNode, isWithin, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A call chain that builds a statement, and how much of the statement's names it writes out, 0 to 1. */
export interface BuiltStatement extends TextPosition {
  readonly fit: number;
}

/** Aliases, and columns that a package adds by itself, are not written at the call. */
const LEAST_FIT = 0.6;
/** A table alone says too little: others ask it too. */
const LEAST_NAMES = 2;

/**
 * The chain of calls that a query builder makes a statement of: `db('coupons').select('code').sum({ total: 'uses' })`
 * for ``select `code`, sum(`uses`) as `total` from `coupons` ``. Undefined where two chains fit alike.
 */
export function builtAt(text: string, statement: string): BuiltStatement | undefined {
  const { table, names } = namesIn(statement);
  if (table === undefined || names.length < LEAST_NAMES || !text.includes(table)) return undefined;
  const syntax = syntaxOf(text);
  const [best, ...others] = syntax.nodes
    .filter((node, index) => node.type === 'CallExpression' && !isContinued(syntax, index))
    .map(node => ({ node, words: wordsIn(syntax, node) }))
    .filter(({ words }) => words.has(table))
    .map(({ node, words }) => ({ node, fit: names.filter(name => words.has(name)).length / names.length }))
    .filter(({ fit }) => fit >= LEAST_FIT)
    .sort((a, b) => b.fit - a.fit || a.node.end - a.node.start - (b.node.end - b.node.start));
  // What lies around the chain holds all of its words as well.
  const isTied = best && others.some(({ node, fit }) => fit === best.fit && !isWithin(best.node, node));
  return best && !isTied ? { ...positionOf(syntax, best.node.start), fit: best.fit } : undefined;
}

/** Builders quote every name; `statement` holds no literals of its own. */
function namesIn(statement: string): { readonly table: string | undefined; readonly names: readonly string[] } {
  const names = [...statement.matchAll(/[`"[]([\w$.-]+)[`"\]]/g)].flatMap(([, name = '']) => name.split('.'));
  const table = /\b(?:from|into|update)\s+(?:[`"[][\w$-]+[`"\]]\.)?[`"[]([\w$-]+)[`"\]]/i.exec(statement)?.[1];
  return { table, names: [...new Set(names)] };
}

/** Another call is made on what this one returns. */
function isContinued({ nodes, parents }: Syntax, index: number): boolean {
  const member = parents[index] ?? -1;
  const call = nodes[parents[member] ?? -1];
  return (
    nodes[member]?.type === 'MemberExpression' &&
    nodes[member]?.object === nodes[index] &&
    call?.callee === nodes[member]
  );
}

/** Words of the texts and names of the properties that are written within a call. */
function wordsIn({ nodes }: Syntax, call: SyntaxNode): ReadonlySet<string> {
  const inside = nodes.filter(node => isWithin(node, call));
  return new Set(
    inside.flatMap(node => {
      if (node.type === 'Literal') return typeof node.value === 'string' ? node.value.split(/[^\w$]+/) : [];
      const key = node.type === 'Property' ? node.key : undefined;
      return isNode(key) && typeof key.name === 'string' ? [key.name] : [];
    }),
  );
}
