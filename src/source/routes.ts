import { isNode, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Where a text gives a framework the handler of a route. */
export interface RouteHandler extends TextPosition {
  /** Segments of the route that are written out there: the more, the surer. */
  readonly fit: number;
}

const VERB = /^(get|post|put|patch|delete|all|route|on|use)$/i;
const PARAMETER = /^[:{*[]/;

/** `app.get('/cart', …)`, `@Get('cart')`, `{ path: '/cart', handler }` for a route such as `/shop/cart`; the best fit first. */
export function handlersOf(text: string, route: string): RouteHandler[] {
  const syntax = syntaxOf(text);
  const asked = segmentsOf(route);
  const found = syntax.nodes.flatMap((node, index) => {
    const fit = typeof node.value === 'string' ? fitOf(segmentsOf(node.value), asked) : 0;
    const handler = fit > 0 ? handlerBy(syntax, node, index) : undefined;
    return handler ? [{ fit, ...positionOf(syntax, handler.start) }] : [];
  });
  return found.sort((a, b) => b.fit - a.fit);
}

const segmentsOf = (path: string): string[] => path.split('/').filter(segment => segment !== '');

/** How many segments are the same at the route's end; 0 where the path is none of its ends. */
function fitOf(path: readonly string[], route: readonly string[]): number {
  if (path.length === 0 || path.length > route.length) return 0;
  const end = route.slice(-path.length);
  const same = path.filter((segment, at) => segment === end[at]).length;
  return path.every((segment, at) => segment === end[at] || PARAMETER.test(segment)) ? same : 0;
}

/** The function that a path's call is given beside it, or its call; the value of `handler` beside `path` or `url`. */
function handlerBy(syntax: Syntax, node: SyntaxNode, index: number): SyntaxNode | undefined {
  const parent = syntax.nodes[syntax.parents[index] ?? -1];
  if (parent?.type === 'Property')
    return handlerBeside(syntax.nodes[syntax.parents[syntax.parents[index] ?? -1] ?? -1]);
  if (parent?.type !== 'CallExpression' || !isNode(parent.callee) || !Array.isArray(parent.arguments)) return undefined;
  if (parent.arguments[0] !== node || !VERB.test(lastName(syntax, parent.callee))) return undefined;
  return parent.arguments.filter(isNode).findLast(({ type }) => /Function/.test(type)) ?? parent;
}

function handlerBeside(object: SyntaxNode | undefined): SyntaxNode | undefined {
  const properties = object?.type === 'ObjectExpression' && Array.isArray(object.properties) ? object.properties : [];
  const named = (names: RegExp) =>
    properties.filter(isNode).find(({ key }) => isNode(key) && typeof key.name === 'string' && names.test(key.name));
  const handler = named(/^(path|url)$/) && named(/^handler$/);
  return handler && isNode(handler.value) ? handler.value : undefined;
}

/** `get` of `app.get`, `Get` of `(0, common_1.Get)`. */
const lastName = (syntax: Syntax, { start, end }: SyntaxNode): string =>
  /(\w+)\)?$/.exec(syntax.text.slice(Math.max(start, end - 60), end))?.[1] ?? '';
