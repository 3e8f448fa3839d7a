import { chainText } from './names.js';
import { isNode, offsetOf, parentOf, syntaxOf, type TextPosition } from './syntax.js';

const LEVEL = /^(?!Math\.).+\.(?:log|info|warn|error|debug|trace|verbose|silly|fatal)$/;

/** True for what stands within the arguments of a logger's call: it is worked out for the log, even where that is off. */
export function isForLog(text: string, position: TextPosition): boolean {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const innermost = syntax.nodes.findLastIndex(({ start, end }) => start <= offset && offset < end);
  for (let at = innermost; at >= 0; at = syntax.parents[at] ?? -1) {
    const [node, parent] = [syntax.nodes[at], parentOf(syntax, at)];
    if (!node || /Statement$|Function/.test(node.type)) return false;
    const given =
      parent?.type === 'CallExpression' && Array.isArray(parent.arguments) && parent.arguments.includes(node);
    if (given && isNode(parent.callee) && LEVEL.test(chainText(syntax, parent.callee))) return true;
  }
  return false;
}
