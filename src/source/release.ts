import type { CallSite } from './calls.js';
import { type Held, heldBy, RELEASE } from './held.js';
import { isNode, isWithin, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/**
 * A call that takes something which has to be given back. `leaks`: on every way, on a way out before the release, only
 * when something in between throws, or not that one can see.
 */
export interface Acquisition extends TextPosition {
  readonly callee: string;
  readonly leaks: 'always' | 'on-return' | 'on-throw' | 'no';
  /** While it is held, something else is awaited than the thing itself. */
  readonly waitsElsewhere: boolean;
  /** What is taken is a thing to work with that is given back by handing it over, as pools have it; a lock gives nothing. */
  readonly isThing: boolean;
}

const BRANCHES = new Set([
  'IfStatement',
  'SwitchCase',
  'CatchClause',
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'ConditionalExpression',
  'LogicalExpression',
]);

/** What becomes of each acquisition in the function around it. */
export function acquisitions(text: string, sites: readonly CallSite[]): Acquisition[] {
  const syntax = syntaxOf(text);
  return sites.flatMap(site => {
    const held = heldBy(syntax, site);
    return held
      ? [
          {
            callee: site.callee,
            line0: site.line0,
            column0: site.column0,
            leaks: leaksOf(held),
            waitsElsewhere: waitsElsewhere(held),
            isThing: isThing(held),
          },
        ]
      : [];
  });
}

function leaksOf(held: Held): Acquisition['leaks'] {
  const { syntax, from } = held;
  const inside = insideOf(held);
  if (inside.some(index => isHandedOn(held, index))) return 'no';
  const releases = inside.filter(index => isRelease(held, index));
  if (releases.length === 0) return 'always';
  if (held.callback) return leaksOfCallback(held, held.callback.error, inside, releases);
  if (releases.some(index => isInNested(held, index))) return 'no';
  const exits = inside.filter(
    index =>
      /^(Return|Throw)Statement$/.test(syntax.nodes[index]?.type ?? '') && syntax.around[index] === held.function,
  );
  const open = exits.filter(exit => !releases.some(release => covers(held, release, exit)));
  const guarded = Math.min(...releases.flatMap(index => startOfGuarded(held, index) ?? []));
  // Whoever leaves before the try doesn't come by its finally.
  if (guarded < Number.POSITIVE_INFINITY)
    return open.some(exit => (syntax.nodes[exit]?.start ?? 0) < guarded) ? 'on-return' : 'no';
  if (open.length > 0 || releases.every(release => isConditional(held, release, releases.length))) return 'on-return';
  const last = Math.max(...releases.map(index => syntax.nodes[index]?.start ?? 0));
  const risky = inside.some(
    index =>
      syntax.nodes[index]?.type === 'AwaitExpression' &&
      (syntax.nodes[index]?.start ?? 0) > from &&
      (syntax.nodes[index]?.start ?? 0) < last &&
      !isCaught(held, index, releases) &&
      !releases.some(release => isNodeWithin(syntax, release, index)),
  );
  return risky ? 'on-throw' : 'no';
}

/** Each callback within that gives back has to do so on each of its ways out; without a connection there is nothing to give. */
function leaksOfCallback(
  held: Held,
  error: string | undefined,
  inside: readonly number[],
  releases: readonly number[],
): Acquisition['leaks'] {
  const { nodes, around } = held.syntax;
  const open = inside.some(index => {
    const own = releases.filter(release => around[release] === around[index]);
    const isExit = /^(Return|Throw)Statement$/.test(nodes[index]?.type ?? '');
    if (!isExit || own.length === 0 || own.some(release => covers(held, release, index))) return false;
    return error === undefined || around[index] !== held.function || !isUnder(held, index, error);
  });
  return open || releases.every(release => isConditional(held, release, releases.length)) ? 'on-return' : 'no';
}

/** In a branch whose test names a variable. */
const isUnder = (held: Held, index: number, name: string): boolean =>
  ancestors(held, index).some(
    ([{ type, test }]) =>
      type === 'IfStatement' && isNode(test) && held.syntax.text.slice(test.start, test.end).includes(name),
  );

const LISTENS = /^(on|once|addListener|addEventListener)$/;

/** Given back by listeners only: `request.on('close', () => client.release())` keeps it for as long as a caller stays. */
function endsByEvent(held: Held, releases: readonly number[]): boolean {
  const { nodes, parents, around } = held.syntax;
  return releases.every(release => {
    const listener = around[release] ?? -1;
    const call = nodes[parents[listener] ?? -1];
    const method = isNode(call?.callee) && isNode(call.callee.property) ? call.callee.property.name : undefined;
    return listener !== held.function && LISTENS.test(String(method));
  });
}

/** An await between taking and giving back that neither concerns what was taken nor gives it back. */
function waitsElsewhere(held: Held): boolean {
  const { syntax, variable, source } = held;
  const inside = insideOf(held);
  const releases = inside.filter(index => isRelease(held, index));
  if (releases.length > 0 && endsByEvent(held, releases)) return true;
  const starts = releases.map(index => syntax.nodes[index]?.start ?? 0);
  const last = starts.length > 0 ? Math.max(...starts) : Number.POSITIVE_INFINITY;
  return inside.some(index => {
    const node = syntax.nodes[index];
    if (node?.type !== 'AwaitExpression' || node.start >= last || syntax.around[index] !== held.function) return false;
    const text = syntax.text.slice(node.start, node.end).replace(/^await\s+/, '');
    return (
      !text.startsWith(`${variable}.`) &&
      !text.startsWith(`${variable}\``) &&
      !text.startsWith(`${source}.`) &&
      !text.startsWith(`${variable}(`)
    );
  });
}

/** `pool.release(thing)`, and in between something else is done with the thing than giving it back. */
function isThing(held: Held): boolean {
  const { syntax, variable } = held;
  if (variable === undefined) return false;
  const inside = insideOf(held);
  const releases = inside.filter(index => isRelease(held, index)).flatMap(index => syntax.nodes[index] ?? []);
  const uses = inside
    .flatMap(index => syntax.nodes[index] ?? [])
    .filter(node => node.type === 'Identifier' && node.name === variable);
  const isIn = (use: SyntaxNode) => releases.some(release => use.start >= release.start && use.end <= release.end);
  const isHandedOver = releases.some(({ arguments: given }) =>
    Array.isArray(given)
      ? given.some(item => isNode(item) && item.type === 'Identifier' && item.name === variable)
      : false,
  );
  return (isHandedOver && uses.some(use => !isIn(use))) || inside.some(index => isWorkedWith(held, index));
}

/** What one does with a lock, beside giving it back. */
const OF_LOCKS = /^(extend|renew|refresh|touch|is|has|assert|on|once|then|catch|finally)/i;

/** `session.query(…)` or `` sql`…` `` of what was taken: connections are worked with, locks are not. */
function isWorkedWith({ syntax, variable }: Held, index: number): boolean {
  const node = syntax.nodes[index];
  if (node?.type === 'TaggedTemplateExpression') return isNode(node.tag) && node.tag.name === variable;
  if (node?.type !== 'CallExpression' || !isNode(node.callee) || node.callee.type !== 'MemberExpression') return false;
  const { object, property } = node.callee;
  if (!isNode(object) || object.name !== variable || !isNode(property)) return false;
  const method = String(property.name ?? '');
  return method !== '' && !RELEASE.test(method) && !OF_LOCKS.test(method);
}

/** Indices of the nodes of the function that come after the acquisition. */
function insideOf({ syntax, function: home, from }: Held): number[] {
  const end = syntax.nodes[home]?.end ?? 0;
  return syntax.nodes.flatMap((node, index) => (node.start >= from && node.end <= end ? [index] : []));
}

function isRelease({ syntax, variable, source, ends, callback }: Held, index: number): boolean {
  const node = syntax.nodes[index];
  if (node?.type !== 'CallExpression' || !isNode(node.callee)) return false;
  const { callee } = node;
  if (callee.type === 'Identifier' && ends !== RELEASE) return false;
  if (callee.type === 'Identifier')
    return (
      callee.name === (callback?.done ?? variable) || isPassedRelease(node, variable) || isGivenBack(node, variable)
    );
  if (callee.type !== 'MemberExpression' || !isNode(callee.object) || !isNode(callee.property)) return false;
  const object = syntax.text.slice(callee.object.start, callee.object.end);
  if (isPassedRelease(node, variable)) return true;
  return ends.test(String(callee.property.name ?? '')) && (object === variable || object === source);
}

/** `leave(name, token)`: a function that gives back what it is handed. */
function isGivenBack(call: SyntaxNode, variable: string | undefined): boolean {
  const { callee, arguments: given } = call;
  if (variable === undefined || !isNode(callee) || !RELEASE.test(String(callee.name ?? ''))) return false;
  return (
    Array.isArray(given) && given.some(item => isNode(item) && item.type === 'Identifier' && item.name === variable)
  );
}

/** `res.on('finish', release)`: a function that gives back is handed to somebody who will call it. */
function isPassedRelease(call: SyntaxNode, variable: string | undefined): boolean {
  if (variable === undefined || !RELEASE.test(variable)) return false;
  const { arguments: given } = call;
  return (
    Array.isArray(given) && given.some(item => isNode(item) && item.type === 'Identifier' && item.name === variable)
  );
}

/** Returned, or kept in an object: its life is longer than the function's. */
function isHandedOn({ syntax, variable }: Held, index: number): boolean {
  const node = syntax.nodes[index];
  if (variable === undefined || node?.type !== 'Identifier' || node.name !== variable) return false;
  const parent = syntax.nodes[syntax.parents[index] ?? -1];
  if (parent?.type === 'ReturnStatement') return true;
  return parent?.type === 'AssignmentExpression' && parent.right === node;
}

const isNodeWithin = ({ nodes }: Held['syntax'], inner: number, outer: number): boolean => {
  const [one, other] = [nodes[inner], nodes[outer]];
  return one !== undefined && other !== undefined && isWithin(one, other);
};

/** What throws there comes to a catch that gives back. */
function isCaught(held: Held, index: number, releases: readonly number[]): boolean {
  return ancestors(held, index).some(
    ([{ type, block, handler }, child]) =>
      type === 'TryStatement' &&
      block === child &&
      isNode(handler) &&
      releases.some(release => isWithin(held.syntax.nodes[release] ?? child, handler)),
  );
}

/** Where the try begins whose finally holds a release. */
function startOfGuarded(held: Held, release: number): number | undefined {
  return ancestors(held, release).find(
    ([parent, child]) => parent.type === 'TryStatement' && parent.finalizer === child,
  )?.[0].start;
}

const isInNested = ({ syntax, function: home }: Held, index: number): boolean => syntax.around[index] !== home;

/** The release stands before the exit in a block that contains the exit too. */
export function covers(held: Pick<Held, 'syntax' | 'function'>, release: number, exit: number): boolean {
  const { nodes } = held.syntax;
  const [given, left] = [nodes[release], nodes[exit]];
  if (!given || !left) return false;
  if (given.start >= left.start && given.end <= left.end) return true;
  if (given.start > left.start) return false;
  const block = ancestors(held, release).find(
    ([parent]) => parent.type === 'BlockStatement' || parent.type === 'SwitchCase',
  )?.[0];
  return block !== undefined && block.start <= left.start && block.end >= left.end;
}

function isConditional(held: Held, release: number, releases: number): boolean {
  // Two releases in two branches usually mean one for each.
  if (releases > 1) return false;
  return ancestors(held, release).some(([parent, child]) => BRANCHES.has(parent.type) && parent.test !== child);
}

/** Pairs of parent and child from a node up to the function. */
function ancestors(
  { syntax, function: home }: Pick<Held, 'syntax' | 'function'>,
  index: number,
): [SyntaxNode, SyntaxNode][] {
  const pairs: [SyntaxNode, SyntaxNode][] = [];
  for (let at = index; at >= 0 && at !== home; at = syntax.parents[at] ?? -1) {
    const [parent, child] = [syntax.nodes[syntax.parents[at] ?? -1], syntax.nodes[at]];
    if (parent && child) pairs.push([parent, child]);
  }
  return pairs;
}
