import { functionName } from './names.js';
import { isNode, lineText, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A line that loads modules by a name made at run time. */
export interface Loading extends TextPosition {
  readonly how: 'import' | 'require';
  readonly code: string;
  readonly function?: string;
  /** 3: its fixed words are in the loaded url; 2: it also takes modules out of the cache; 1: it may be any. */
  readonly likeness: 1 | 2 | 3;
}

/** Fixed words shorter than this are in every url. */
const LEAST_WORD = 4;

/** Dynamic imports and requires of a text, the likeliest to have loaded `url` first. */
export function loadingsOf(text: string, url: string): Loading[] {
  const syntax = syntaxOf(text);
  const forgets = /delete\s+require\.cache|require\.cache\s*\[[^\]]*\]\s*=/.test(text);
  return syntax.nodes
    .flatMap((node, index) => loadingAt(syntax, node, index, { url, forgets }) ?? [])
    .sort((a, b) => b.likeness - a.likeness);
}

interface Known {
  readonly url: string;
  readonly forgets: boolean;
}

function loadingAt(syntax: Syntax, node: SyntaxNode, index: number, { url, forgets }: Known): Loading | undefined {
  const asked = node.type === 'ImportExpression' ? node.source : requiredBy(node);
  if (!isNode(asked) || asked.type === 'Literal') return undefined;
  const how = node.type === 'ImportExpression' ? 'import' : 'require';
  const around = syntax.around[index] ?? -1;
  const position = positionOf(syntax, node.start);
  return {
    ...position,
    how,
    code: lineText(syntax.text, position.line0).trim().slice(0, 160),
    ...(around >= 0 && { function: functionName(syntax, around) }),
    likeness: isIn(url, asked) ? 3 : forgets && how === 'require' ? 2 : 1,
  };
}

function requiredBy({ type, callee, arguments: args }: SyntaxNode): unknown {
  if (type !== 'CallExpression' || !isNode(callee) || callee.type !== 'Identifier' || callee.name !== 'require')
    return undefined;
  return Array.isArray(args) ? args[0] : undefined;
}

/** The text between a template's holes, without the way up: `../tenants/${id}.js?rev=` gives `tenants/` and `.js?rev=`. */
function isIn(url: string, asked: SyntaxNode): boolean {
  if (asked.type !== 'TemplateLiteral' || !Array.isArray(asked.quasis)) return false;
  const words = asked.quasis
    .map(quasi => String((quasi as { value?: { cooked?: string } }).value?.cooked ?? '').replace(/^(?:\.{1,2}\/)+/, ''))
    .filter(word => word.length >= LEAST_WORD);
  return words.length > 0 && words.every(word => url.includes(word));
}
