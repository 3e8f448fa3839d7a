import { isNode, offsetOf, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

const FUNCTION = /^(?:ArrowFunctionExpression|FunctionExpression)$/;

/** True where the call at a position is given work to run: `limit(() => load(id))`, `queue.add(async () => …)`. */
export function isGivenWork(text: string, position: TextPosition): boolean {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const calls = syntax.nodes.filter(
    ({ type, start, callee }) => type === 'CallExpression' && isNode(callee) && start <= offset && offset <= callee.end,
  );
  // Parents come before children: the last one is the innermost.
  const args: unknown = calls.at(-1)?.arguments;
  return Array.isArray(args) && args.some((argument: SyntaxNode) => FUNCTION.test(argument.type));
}
