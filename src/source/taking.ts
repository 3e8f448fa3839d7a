import { type CallSite, callSites } from './calls.js';
import { isGivenWork } from './given-work.js';
import { ACQUIRE } from './held.js';
import { functionName } from './names.js';
import { type Acquisition, acquisitions } from './release.js';
import type { File } from './second-connection.js';
import { isNode, offsetOf, type Syntax, type SyntaxNode, syntaxOf } from './syntax.js';

/** A place that takes something which has to be given back. */
export interface Taking<F extends File> extends Acquisition {
  readonly file: F;
  /** It is taken from the holder that is meant, by its name or through a function of the application that hands it out. */
  readonly isOwn: boolean;
}

/** Who takes in an application, by way of a holder known by `names` in each file or of any other. */
export function takings<F extends File>(
  files: readonly F[],
  names: (file: F) => ReadonlySet<string>,
): readonly Taking<F>[] {
  const asked = files.map(file => ({ file, owners: new Set([...names(file)].map(bare)) }));
  const handing = new Set(asked.flatMap(({ file, owners }) => handingOut(file.text, owners)));
  return asked.flatMap(({ file, owners }) => {
    const isOwn = ({ callee, method }: CallSite) => handing.has(bare(method)) || owners.has(ownerOf(callee));
    const sites = callSites(file.text).filter(
      site => site.kind === 'call' && (ACQUIRE.test(site.method) || handing.has(bare(site.method))),
    );
    return sites.flatMap(site =>
      acquisitions(file.text, [site]).map(taking => ({ ...taking, file, isOwn: isOwn(site) })),
    );
  });
}

/** Functions that give whoever calls them what they take: `getClient: () => pool.connect()`. */
function handingOut(text: string, owners: ReadonlySet<string>): string[] {
  const syntax = syntaxOf(text);
  return callSites(text)
    .filter(({ method, callee }) => ACQUIRE.test(method) && owners.has(ownerOf(callee)))
    .filter(site => !isGivenWork(text, site) && isHandedOut(syntax, site))
    .flatMap(({ within }) => (within < 0 ? [] : bare(functionName(syntax, within).split('.').at(-1) ?? '')))
    .filter(name => /^[\w$]+$/.test(name));
}

function isHandedOut(syntax: Syntax, site: CallSite): boolean {
  const offset = offsetOf(syntax, site);
  let at = syntax.nodes.findIndex(({ type, callee }) => type === 'CallExpression' && endOf(callee) === offset);
  if (at < 0) return false;
  while (syntax.nodes[syntax.parents[at] ?? -1]?.type === 'AwaitExpression') at = syntax.parents[at] ?? -1;
  const home = syntax.nodes[syntax.parents[at] ?? -1];
  if (home?.type === 'ReturnStatement') return true;
  if (home?.type === 'ArrowFunctionExpression') return home.body === syntax.nodes[at];
  const variable = home?.type === 'VariableDeclarator' && isNode(home.id) ? home.id.name : undefined;
  return (
    variable !== undefined &&
    syntax.nodes.some((node, index) => isReturned(node, variable) && syntax.around[index] === site.within)
  );
}

/** Where the name that is called begins. */
const endOf = (callee: unknown): number | undefined =>
  isNode(callee) ? (isNode(callee.property) ? callee.property.start : callee.start) : undefined;

const isReturned = ({ type, argument }: SyntaxNode, variable: unknown): boolean =>
  type === 'ReturnStatement' && isNode(argument) && argument.type === 'Identifier' && argument.name === variable;

/** `pool` of `this.#pool.connect` and `this._pool.connect`. */
const ownerOf = (callee: string): string => bare(callee.split('.').at(-2) ?? '');
const bare = (name: string): string => name.replace(/^[#_]+/, '');
