import { lastName } from './emptying.js';
import { importedAs } from './imported.js';
import { functionName } from './names.js';
import { isNode, type SyntaxNode, syntaxOf } from './syntax.js';

/**
 * The package whose function made what a variable or a field holds: `effector` of `const $rates = createStore(…).on(…)`. Undefined
 * for what the module made itself, and for what it can't be told of.
 */
export function packageThatMade(text: string, variable: string): string | undefined {
  for (const node of syntaxOf(text).nodes) {
    const [target, value] = givenValue(node);
    if (lastName(target) !== variable) continue;
    const maker = isNode(value) ? calledFrom(value) : undefined;
    const from = maker === undefined ? undefined : importedAs(text, maker)?.from;
    if (from !== undefined) return packageNamed(from);
  }
  return undefined;
}

/** What a variable holds was made by a call around a function of the application: `exports.priceOf = memoize(compute)`. */
export function isWrapping(text: string, variable: string): boolean {
  const syntax = syntaxOf(text);
  return syntax.nodes.some(node => {
    const [target, value] = givenValue(node);
    if (lastName(target) !== variable || !isNode(value) || value.type !== 'CallExpression') return false;
    const [first]: unknown[] = Array.isArray(value.arguments) ? value.arguments : [];
    if (!isNode(first)) return false;
    const isNamed = (index: number) => first.type === 'Identifier' && functionName(syntax, index) === first.name;
    return /Function/.test(first.type) || syntax.functions.some(isNamed);
  });
}

/** Left and right of a declaration, an assignment, and of a class's field: `#quotes = new LRUCache(…)`. */
function givenValue({ type, id, init, left, right, key, value }: SyntaxNode): readonly unknown[] {
  if (type === 'VariableDeclarator') return [id, init];
  if (type === 'AssignmentExpression') return [left, right];
  return type === 'PropertyDefinition' ? [key, value] : [];
}

/** The bound that a collection of a package's was made with: 40 000 of `createLRU({ max: 40_000 })` and `new LRU(40_000)`. */
export function limitGivenTo(text: string, variable: string): number | undefined {
  for (const { type, id, init } of syntaxOf(text).nodes) {
    if (type !== 'VariableDeclarator' || lastName(id) !== variable || !isNode(init)) continue;
    const made = text.slice(init.start, init.end);
    const written = GIVEN_LIMIT.exec(made)?.[1] ?? ONLY_NUMBER.exec(made)?.[1];
    const limit = written === undefined ? undefined : productOf(written);
    if (limit !== undefined) return limit;
  }
  return undefined;
}

const NUMBERS = '(\\d[\\d_.e]*(?:\\s*\\*\\s*[\\d_.e]+)*)';
const GIVEN_LIMIT = new RegExp(`\\b(?:max\\w*|limit|capacity)\\s*:\\s*${NUMBERS}`, 'i');
const ONLY_NUMBER = new RegExp(`\\(\\s*${NUMBERS}\\s*\\)`);

const productOf = (written: string): number =>
  written.split('*').reduce((product, factor) => product * Number(factor.trim().replaceAll('_', '')), 1);

/** `a` of `a(…)`, `new a.B(…)`, `(0, a.b)(…)` and `await a.b(…).c(…)`: the name that the first call goes through. */
export function calledFrom(value: SyntaxNode): string | undefined {
  let isCall = false;
  for (let at: unknown = value; isNode(at); at = innerOf(at)) {
    isCall ||= at.type === 'CallExpression' || at.type === 'NewExpression';
    if (at.type === 'Identifier') return isCall ? String(at.name) : undefined;
  }
  return undefined;
}

function innerOf({ type, callee, object, argument, expression, expressions }: SyntaxNode): unknown {
  if (type === 'CallExpression' || type === 'NewExpression') return callee;
  if (type === 'MemberExpression') return object;
  if (type === 'AwaitExpression') return argument;
  if (type === 'SequenceExpression') return Array.isArray(expressions) ? expressions.at(-1) : undefined;
  return type === 'ChainExpression' ? expression : undefined;
}

/** Names of Node's own modules as old code requires them. */
const NODES_OWN: ReadonlySet<string> = new Set([
  ...['assert', 'async_hooks', 'buffer', 'child_process', 'cluster', 'crypto', 'dgram', 'dns', 'events', 'fs', 'http'],
  ...['http2', 'https', 'module', 'net', 'os', 'path', 'perf_hooks', 'process', 'querystring', 'readline', 'stream'],
  ...['string_decoder', 'timers', 'tls', 'tty', 'url', 'util', 'v8', 'vm', 'worker_threads', 'zlib'],
]);

/** `@scope/name` of `@scope/name/sub`; undefined for a file of the application and for Node's own modules. */
export function packageNamed(from: string): string | undefined {
  if (/^(?:[./]|node:|[a-z]+:)/.test(from)) return undefined;
  const [first = '', second = ''] = from.split('/');
  if (NODES_OWN.has(first)) return undefined;
  return first.startsWith('@') ? `${first}/${second}` : first;
}
