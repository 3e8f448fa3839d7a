import { type CallSite, callSites } from './calls.js';
import { isGivenWork } from './given-work.js';
import { isNode, offsetOf, type Syntax, type SyntaxNode, syntaxOf } from './syntax.js';

/** Calls that run a job under a limit or a lock: limiter.schedule(job), queue.add(job), mutex.runExclusive(job), limit(job). */
const RUNS = /^(schedule|wrap|add|run\w*|use|exec\w*|acquire|with\w*|submit|enqueue|lock)$/i;

/** A job of `holder` that waits for another job of the same holder: when all places are taken by such, none ever ends. */
export function nestedJob(text: string, holder: string): CallSite | undefined {
  const syntax = syntaxOf(text);
  const all = callSites(text);
  const jobs = all.filter(site => isJobOf(site, holder));
  const asking = new Set(jobs.flatMap(site => nameAround(syntax, site) ?? []));
  for (const job of jobs) {
    const call = nodeOf(syntax, job);
    if (!call) continue;
    const inner = all.find(
      site =>
        site !== job &&
        isInside(syntax, site, call) &&
        isAwaited(syntax, site) &&
        (isJobOf(site, holder) || asking.has(site.callee.replace(/^this\./, ''))),
    );
    if (inner) return inner;
  }
  return undefined;
}

/** Where a holder is given functions to run. */
export function jobsOf(text: string, holder: string): readonly CallSite[] {
  const jobs = callSites(text).filter(site => isJobOf(site, holder));
  return jobs.filter(site => isGivenWork(text, site));
}

function isJobOf({ callee, method, kind }: CallSite, holder: string): boolean {
  if (kind !== 'call') return false;
  if (callee === holder) return true;
  return callee.split('.').at(-2) === holder && RUNS.test(method);
}

/** The name of the function that makes a call at its own level, and not in a job given to another. */
function nameAround({ nodes, parents }: Syntax, { within }: CallSite): string | undefined {
  const home = nodes[within];
  if (isNode(home?.id)) return String(home.id.name);
  const parent = nodes[parents[within] ?? -1];
  const named =
    parent?.type === 'VariableDeclarator' ? parent.id : parent?.type === 'MethodDefinition' ? parent.key : undefined;
  return isNode(named) ? String(named.name) : undefined;
}

function nodeOf(syntax: Syntax, site: CallSite): SyntaxNode | undefined {
  const offset = offsetOf(syntax, site);
  return syntax.nodes.find(node => node.type === 'CallExpression' && anchor(node) === offset);
}

function isInside(syntax: Syntax, site: CallSite, call: SyntaxNode): boolean {
  const offset = offsetOf(syntax, site);
  const { arguments: given } = call;
  return Array.isArray(given) && given.some(item => isNode(item) && item.start <= offset && offset < item.end);
}

/** Awaited or returned: the job ends only when it ends. */
function isAwaited(syntax: Syntax, site: CallSite): boolean {
  const offset = offsetOf(syntax, site);
  const index = syntax.nodes.findIndex(node => node.type === 'CallExpression' && anchor(node) === offset);
  for (let at = syntax.parents[index] ?? -1; at >= 0; at = syntax.parents[at] ?? -1) {
    const { type = '' } = syntax.nodes[at] ?? {};
    if (type === 'AwaitExpression' || type === 'ReturnStatement') return true;
    if (type === 'ArrowFunctionExpression') return true;
    if (/Statement$|Function|Declaration$/.test(type)) return false;
  }
  return false;
}

function anchor(call: SyntaxNode): number {
  const { callee } = call;
  if (!isNode(callee)) return -1;
  return callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property.start : callee.start;
}
