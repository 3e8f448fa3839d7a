import { importedAs } from './imported.js';
import { calledFrom, packageNamed } from './made-by.js';
import { functionName } from './names.js';
import { isNode, offsetOf, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** Where a function makes a thing of a package's anew for each of its calls. */
export interface Fresh extends TextPosition {
  readonly package: string;
  readonly function: string;
}

/**
 * Where that comes from on which a method is called: made in the same function (`const client = new Client(); … client.send()`)
 * or by a function of the application, whose name is answered: `connect` of `connect().send()`. Undefined for what lasts.
 */
export function receiverMadeAt(text: string, at: TextPosition): Fresh | { readonly maker: string } | undefined {
  const syntax = syntaxOf(text);
  const offset = offsetOf(syntax, at);
  const index = syntax.nodes.findIndex(node => isCall(node) && propertyOf(node.callee)?.start === offset);
  const call = syntax.nodes[index];
  const receiver = isNode(call?.callee) ? receiverOf(call.callee) : undefined;
  const around = syntax.around[index] ?? -1;
  if (receiver === undefined || around < 0) return undefined;
  const made = receiver.type === 'Identifier' ? givenIn(syntax, around, String(receiver.name)) : receiver;
  if (made === undefined) return undefined;
  const maker = isNode(made.callee) ? nameOf(made.callee) : undefined;
  return freshAt(syntax, made, around) ?? (maker === undefined ? undefined : { maker });
}

/** Where the function of that name makes what it answers: `return new Client(…)`. Undefined where it may answer an older one. */
export function freshlyMadeBy(text: string, name: string): Fresh | undefined {
  const syntax = syntaxOf(text);
  for (const index of syntax.functions) {
    if (functionName(syntax, index).split('.').at(-1) !== name) continue;
    const [answer, ...others] = answersOf(syntax, index);
    const made = answer?.type === 'Identifier' ? givenIn(syntax, index, String(answer.name)) : answer;
    const fresh = made && others.length === 0 ? freshAt(syntax, made, index) : undefined;
    if (fresh) return fresh;
  }
  return undefined;
}

const isCall = ({ type }: SyntaxNode): boolean => type === 'CallExpression' || type === 'NewExpression';

const propertyOf = (callee: unknown): SyntaxNode | undefined =>
  isNode(callee) && callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property : undefined;

const nameOf = (callee: SyntaxNode): string | undefined => {
  const { name } = propertyOf(callee) ?? callee;
  return typeof name === 'string' ? name : undefined;
};

/** `client` of `client.jobs.send`, `connect()` of `(await connect()).send`. */
function receiverOf(callee: SyntaxNode): SyntaxNode | undefined {
  let at: unknown = callee.object;
  while (isNode(at) && at.type === 'MemberExpression') at = at.object;
  const found = awaited(at);
  return found && (found.type === 'Identifier' || isCall(found)) ? found : undefined;
}

const awaited = (node: unknown): SyntaxNode | undefined =>
  isNode(node) ? (node.type === 'AwaitExpression' ? awaited(node.argument) : node) : undefined;

/** What a variable of that very function is given at its declaration, where that is a call. */
function givenIn(syntax: Syntax, around: number, name: string): SyntaxNode | undefined {
  const declared = syntax.nodes.find(
    ({ type, id }, index) =>
      type === 'VariableDeclarator' && syntax.around[index] === around && isNode(id) && id.name === name,
  );
  const value = awaited(declared?.init);
  return value && isCall(value) ? value : undefined;
}

function answersOf(syntax: Syntax, index: number): SyntaxNode[] {
  const body = syntax.nodes[index]?.body;
  if (isNode(body) && body.type !== 'BlockStatement') return [awaited(body) ?? body];
  const returned = syntax.nodes.filter((node, at) => node.type === 'ReturnStatement' && syntax.around[at] === index);
  return returned.flatMap(node => awaited(node.argument) ?? []);
}

function freshAt(syntax: Syntax, made: SyntaxNode, around: number): Fresh | undefined {
  const root = isCall(made) ? calledFrom(made) : undefined;
  const from = root === undefined ? undefined : importedAs(syntax.text, root)?.from;
  const name = from === undefined ? undefined : packageNamed(from);
  if (name === undefined) return undefined;
  return { ...positionOf(syntax, made.start), package: name, function: functionName(syntax, around) };
}
