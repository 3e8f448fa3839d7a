import { namesOfModule } from './bindings.js';
import { callSites } from './calls.js';
import { functionName } from './names.js';
import { isNode, isWithin, offsetOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A file of the application. */
export interface File {
  readonly url: string;
  readonly text: string;
}

/** `db.transaction(work)`, `db.transaction().execute(work)`, `sql.begin(work)`: what stands before it has the pool. */
const RUNS = /^(.+)\.\$?(?:transaction|begin|withTransaction|inTransaction)(?:\(\)\.\w+)?$/;

/**
 * Where work that runs in a transaction awaits a query outside of it, over the same pool: each such transaction keeps one
 * connection and waits for another. `others`: the files among which a function is looked for that is called there.
 */
export function secondConnection(file: File, others: readonly File[]): TextPosition | undefined {
  const syntax = syntaxOf(file.text);
  for (const { callee, ...site } of callSites(file.text)) {
    const pool = RUNS.exec(callee)?.[1];
    const work = pool === undefined ? -1 : workOf(syntax, offsetOf(syntax, site));
    if (pool === undefined || work < 0) continue;
    const outside = callSites(file.text).filter(
      inner => inner.within === work && isAwaitedWithout(syntax, offsetOf(syntax, inner), handle(syntax, work)),
    );
    const asked =
      outside.find(
        ({ callee }) => callee.startsWith(`${pool}.`) || others.some(other => asks(other, file, callee, pool)),
      ) ?? outside.find(inner => isModelCall(inner.callee) && isFirstOfAwait(syntax, offsetOf(syntax, inner)));
    if (asked) return { line0: asked.line0, column0: asked.column0 };
  }
  return undefined;
}

/** Index of the function that is handed to the call whose callee's last name begins at an offset; −1 without one. */
function workOf(syntax: Syntax, offset: number): number {
  return (
    syntax.functions.find(index => {
      const call = syntax.nodes[syntax.parents[index] ?? -1];
      const isGiven =
        call?.type === 'CallExpression' && isNode(call.callee) && call.callee.end < (syntax.nodes[index]?.start ?? 0);
      return isGiven && isNode(call.callee) && call.callee.start <= offset && offset < call.callee.end;
    }) ?? -1
  );
}

/** The name by which the work knows its transaction. */
function handle({ nodes }: Syntax, work: number): string | undefined {
  const [first] = (nodes[work]?.params ?? []) as readonly SyntaxNode[]; // a function has them
  return first?.type === 'Identifier' ? String(first.name) : undefined;
}

function isAwaitedWithout(syntax: Syntax, offset: number, trx: string | undefined): boolean {
  const awaited = syntax.nodes.findLast(
    node => /^(Await|Return)/.test(node.type) && node.start <= offset && offset < node.end,
  );
  const isTold = (node: SyntaxNode) => node.type === 'Identifier' && node.name === trx;
  return (
    trx !== undefined && awaited !== undefined && !syntax.nodes.some(node => isTold(node) && isWithin(node, awaited))
  );
}

/** How models and repositories ask the pool that they were made with, unless they are handed a transaction. */
const ASKS =
  /\.(find\w*|create|bulkCreate|save|update|upsert|insert|destroy|delete|count|increment|decrement|query|aggregate)$/;
const isModelCall = (callee: string): boolean =>
  ASKS.test(callee) && !/^(crypto|Object|Array|\w*(cache|map|hash))\b/i.test(callee);

/** The call is what is awaited, not a part of its arguments. */
const isFirstOfAwait = ({ nodes }: Syntax, offset: number): boolean =>
  nodes.some(
    ({ type, argument }) =>
      type === 'AwaitExpression' &&
      isNode(argument) &&
      argument.type === 'CallExpression' &&
      isNode(argument.callee) &&
      isNode(argument.callee.property) &&
      argument.callee.property.start === offset,
  );

/** `journal.write` of another file or `write` of the same, whose own text asks the pool by the same name. */
function asks(other: File, { text, url }: File, callee: string, pool: string): boolean {
  const [root = '', ...rest] = callee.split('.');
  const isHere = other.url === url && (rest.length === 0 || root === 'this');
  if (!isHere && !namesOfModule(text, url, other.url).includes(root)) return false;
  const syntax = syntaxOf(other.text);
  return syntax.functions.some(index => {
    const node = syntax.nodes[index];
    const said = node ? other.text.slice(node.start, node.end) : '';
    return functionName(syntax, index).split('.').at(-1) === (rest.at(-1) ?? root) && said.includes(`${pool}`);
  });
}
