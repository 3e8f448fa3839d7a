import { callsInFunction } from './calls.js';
import { namesIn, textOf } from './names.js';
import {
  functionAround,
  isNode,
  offsetOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** A file that a function reads and makes something of. */
export interface Rereading extends TextPosition {
  /** The read as written. */
  readonly code: string;
  /** True where nothing that the function is given decides which file: it is the same one each time. */
  readonly isFixed: boolean;
}

const READS = /^(?:readFile|readFileSync|readJson|readJsonSync|readJSON|readJSONSync)$/;
const WRITES = /^(?:write|append|rename|unlink|rm|copy)/;

/** The read of a whole file in the function around a position; undefined where it writes files, too. */
export function rereadings(text: string, position: TextPosition): Rereading | undefined {
  const calls = callsInFunction(text, position.line0, position.column0);
  const read = calls.find(({ method, kind }) => kind === 'call' && READS.test(method));
  if (!read || calls.some(({ method }) => WRITES.test(method))) return undefined;
  const syntax = syntaxOf(text);
  const own = functionAround(syntax, offsetOf(syntax, position));
  const anchor = offsetOf(syntax, read);
  const call = syntax.nodes.findLast(
    ({ type, callee, start, end }) =>
      type === 'CallExpression' && isNode(callee) && start <= anchor && anchor < callee.end && anchor < end,
  );
  const [file] = call && Array.isArray(call.arguments) ? call.arguments : [];
  if (!call || !isNode(file)) return undefined;
  const { line0, column0 } = read;
  return { line0, column0, code: textOf(syntax, call), isFixed: !dependsOnGiven(syntax, own, file, 3) };
}

/** True when an expression uses a parameter of the function, or a variable that does. */
function dependsOnGiven(syntax: Syntax, own: number, value: SyntaxNode, depth: number): boolean {
  const names = namesIn(syntax, value);
  const params = syntax.nodes[own]?.params;
  const given = Array.isArray(params) ? params.filter(isNode).flatMap(param => namesIn(syntax, param)) : [];
  if (depth === 0 || names.some(name => given.includes(name))) return true;
  return syntax.nodes.some((node, index) => {
    if (node.type !== 'VariableDeclarator' || syntax.around[index] !== own || !isNode(node.id)) return false;
    if (!namesIn(syntax, node.id).some(name => names.includes(name))) return false;
    return !isNode(node.init) || dependsOnGiven(syntax, own, node.init, depth - 1);
  });
}
