import { chainText, namesIn, textOf } from './names.js';
import { isNode, isWithin, offsetOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Functions that call what they are given for each entry. */
const EACH = /\.(?:forEach|map|flatMap|filter|some|every|reduce|find)$/;

/** The call at a position as written, when it stands in a loop and nothing of its rounds goes into it: each gives the same. */
export function sameEachRound(text: string, position: TextPosition): string | undefined {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, position);
  const index = syntax.nodes.findLastIndex(
    ({ type, callee, start }) => type === 'CallExpression' && isNode(callee) && start <= offset && offset < callee.end,
  );
  const call = syntax.nodes[index];
  const given = call && Array.isArray(call.arguments) ? call.arguments.filter(isNode) : [];
  const names = given.flatMap(argument => namesIn(syntax, argument));
  if (
    !call ||
    names.length === 0 ||
    given.some(argument => /[(`]/.test(syntax.text.slice(argument.start, argument.end)))
  )
    return undefined;
  const round = roundAround(syntax, index);
  return round && !boundIn(syntax, round).some(name => names.includes(name)) ? textOf(syntax, call) : undefined;
}

/** The innermost loop, or the function that is called for each entry; undefined where another function comes first. */
function roundAround(syntax: Syntax, index: number): SyntaxNode | undefined {
  for (let at = index; at >= 0; at = syntax.parents[at] ?? -1) {
    const [node, parent] = [syntax.nodes[at], syntax.nodes[syntax.parents[at] ?? -1]];
    if (node && parent && /^(?:For\w*|While|DoWhile)Statement$/.test(parent.type) && parent.body === node)
      return parent;
    if (!node || !/Function/.test(node.type)) continue;
    const isGiven =
      parent?.type === 'CallExpression' && isNode(parent.callee) && EACH.test(chainText(syntax, parent.callee));
    return isGiven ? node : undefined;
  }
  return undefined;
}

/** What differs from round to round: parameters, loop variables and whatever is declared or assigned within. */
function boundIn(syntax: Syntax, round: SyntaxNode): string[] {
  const within = syntax.nodes.filter(node => isWithin(node, round));
  const params = Array.isArray(round.params) ? round.params.filter(isNode) : [];
  const targets = within.flatMap(({ type, id, left, argument }) =>
    type === 'VariableDeclarator'
      ? id
      : type === 'AssignmentExpression'
        ? left
        : type === 'UpdateExpression'
          ? argument
          : [],
  );
  return [...params, ...targets.filter(isNode)].flatMap(node => namesIn(syntax, node));
}
