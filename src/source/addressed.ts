import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Calls whose own arguments write the path segment down: `request(`${base}/gauges/${id}`)`. */
export function callsTo(text: string, segment: string): TextPosition[] {
  const syntax = syntaxOf(text);
  const starts = new Set(syntax.nodes.flatMap((node, i) => (writes(node, segment) ? callAround(syntax, i) : [])));
  return [...starts].map(start => positionOf(syntax, start));
}

/** As a whole segment: `/gauges/` and `/gauges`, not `/gauges2`; a route's own pattern (`/gauges/:id`) and a file (`./gauges`) ask nobody. */
function writes(node: SyntaxNode, segment: string): boolean {
  const said =
    node.type === 'Literal'
      ? node.value
      : node.type === 'TemplateElement'
        ? (node.value as { readonly raw?: unknown }).raw // by ESTree
        : undefined;
  if (typeof said !== 'string' || said.includes('/:') || said.startsWith('.')) return false;
  const at = said.indexOf(`/${segment}`);
  return at >= 0 && !/[\w-]/.test(said[at + segment.length + 1] ?? '/');
}

/** Where the callee of the innermost call begins that the node is an argument of, in the same function. */
function callAround(syntax: Syntax, index: number): number[] {
  for (let at = syntax.parents[index] ?? -1; at >= 0; at = syntax.parents[at] ?? -1) {
    const node = syntax.nodes[at];
    if (!node || syntax.functions.includes(at)) return [];
    if (node.type !== 'CallExpression' || !isNode(node.callee)) continue;
    const { callee } = node;
    return [callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property.start : callee.start];
  }
  return [];
}
