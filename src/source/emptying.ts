import { feedersOf } from './feeders.js';
import { functionName } from './names.js';
import {
  functionAround,
  isNode,
  offsetOf,
  parentOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';

/** A place that takes entries out of a collection. */
export interface Emptying extends TextPosition {
  /** All at once: `clear()`, `length = 0`, `splice(0)`, or an empty one in its place. Else entry by entry. */
  readonly whole: boolean;
  /** It runs by a timer: inside what is given to one, or in a function that a timer calls. */
  readonly byTimer: boolean;
  /** Every function that adds to it does so itself, or calls a function that does: a batch, a window, a generation. */
  readonly byFeeder: boolean;
  /** It goes through all entries of the collection, and takes out some. */
  readonly sweeps: boolean;
  /** How often that timer runs, where it is written there. */
  readonly everyMs?: number;
  /** A queue that a timer takes some from at this interval, whatever their age. */
  readonly drainsEveryMs?: number;
}

/** Methods that take entries out. */
const REMOVING = new Set(['delete', 'clear', 'shift', 'pop', 'splice']);
/** Methods that leave some out. */
const KEEPING = new Set(['filter', 'slice']);
const SCHEDULING = /^(?:setInterval|setTimeout|schedule\w*|every|cron)$/;
const COLLECTION = /^(?:Map|Set|Array|WeakMap|WeakSet)$/;

/** Every place where a collection called `name` loses entries, in source order. Names are compared, not scopes. */
export function emptyingsOf(text: string, name: string): Emptying[] {
  const syntax = syntaxOf(text);
  const known = indexOf(syntax).emptyings;
  const found = known.get(name) ?? placesOf(syntax, name, (node, index) => emptiedBy(syntax, node, index, name));
  known.set(name, found);
  return found;
}

/** What is asked of a text again and again: a bundle has ten thousand functions, and looking at each took seconds. */
interface Index {
  readonly emptyings: Map<string, Emptying[]>;
  readonly functionsByName: ReadonlyMap<string, readonly number[]>;
  readonly calledIn: Map<number, readonly string[]>;
}

const indices = new WeakMap<Syntax, Index>();

function indexOf(syntax: Syntax): Index {
  const known = indices.get(syntax);
  if (known) return known;
  const functionsByName = new Map<string, number[]>();
  for (const index of syntax.functions) {
    const name = bareName(functionName(syntax, index));
    const alike = functionsByName.get(name);
    if (alike) alike.push(index);
    else functionsByName.set(name, [index]);
  }
  const index = { emptyings: new Map(), functionsByName, calledIn: new Map() };
  indices.set(syntax, index);
  return index;
}

/** Names of what a function calls, those of functions within it too: what is within it follows it in the list. */
function calledIn(syntax: Syntax, from: number): readonly string[] {
  const { calledIn: known } = indexOf(syntax);
  const found = known.get(from);
  if (found) return found;
  const end = syntax.nodes[from]?.end ?? 0;
  const names = new Set<string>();
  for (let at = from + 1; (syntax.nodes[at]?.start ?? end) < end; at++) {
    const { type, callee } = syntax.nodes[at] as SyntaxNode; // the loop's condition
    const name = type === 'CallExpression' ? lastName(callee) : undefined;
    if (name !== undefined) names.add(name);
  }
  known.set(from, [...names]);
  return [...names];
}

/** The same for what is dropped together with `holder`, which begins anew: `window = new Window(now)`; `fedIn` is its class's text. */
export function replacementsOf(text: string, holder: string, name: string, fedIn = text): Emptying[] {
  const syntax = syntaxOf(text);
  const places = placesOf(syntax, name, (node, index) => (isReplaced(syntax, node, index, holder) ? true : undefined));
  const feeding = feedingMethods(syntaxOf(fedIn), name);
  return places.map(one => (one.byFeeder ? one : { ...one, byFeeder: isFedOver(syntax, one, holder, feeding) }));
}

function feedingMethods(syntax: Syntax, name: string): string[] {
  const at = feedersOf(syntax.text, name).map(feeder => functionAround(syntax, offsetOf(syntax, feeder)));
  return at.filter(index => index >= 0).map(index => bareName(functionName(syntax, runningAt(syntax, index))));
}

/** `if (open.bytes > FULL) open = new Segment(); open.append(deed)`: who begins it anew calls the method that adds to it. */
function isFedOver(syntax: Syntax, at: TextPosition, holder: string, feeding: readonly string[]): boolean {
  const around = syntax.nodes[functionAround(syntax, offsetOf(syntax, at))];
  if (!around) return false;
  return syntax.nodes.some(
    ({ type, start, end, callee }) =>
      type === 'CallExpression' &&
      around.start < start &&
      end <= around.end &&
      isNode(callee) &&
      callee.type === 'MemberExpression' &&
      lastName(callee.object) === holder &&
      feeding.includes(lastName(callee) ?? ''),
  );
}

type Emptied = (node: SyntaxNode, index: number) => boolean | undefined;

function placesOf(syntax: Syntax, name: string, emptied: Emptied): Emptying[] {
  const timers = syntax.nodes.filter(isScheduling);
  return syntax.nodes.flatMap((node, index) => {
    const whole = emptied(node, index);
    if (whole === undefined) return [];
    const timer = timerOf(syntax, index, timers);
    const everyMs = timer && intervalOf(syntax, timer);
    const isDrain = timer !== undefined && !whole && drains(syntax, node, index);
    return [
      {
        ...positionOf(syntax, node.start),
        whole,
        byTimer: timer !== undefined,
        byFeeder: isFedAround(syntax, index, name),
        sweeps: !whole && isSweep(syntax, index, name),
        ...(everyMs !== undefined && { everyMs }),
        ...(isDrain && everyMs !== undefined && { drainsEveryMs: everyMs }),
      },
    ];
  });
}

/** Inside of `for (const [key] of map)`, `for (const key of map.keys())` or `map.forEach(…)`. */
function isSweep(syntax: Syntax, index: number, name: string): boolean {
  for (let at = syntax.parents[index] ?? -1; at >= 0; at = syntax.parents[at] ?? -1) {
    const around = syntax.nodes[at] as SyntaxNode; // a parent's index
    if (/^For(?:Of|In)Statement$/.test(around.type) && isOver(around.right, name)) return true;
    const { callee } = around;
    if (isNode(callee) && isMember(callee, 'forEach') && isOver(callee.object, name)) return true;
  }
  return false;
}

/** `map`, `map.keys()`, `Object.keys(map).filter(…)`, `[...map]`. */
function isOver(node: unknown, name: string): boolean {
  if (!isNode(node)) return false;
  const { callee, arguments: args, elements, argument } = node;
  const inner = [args, elements].flatMap(list => (Array.isArray(list) ? (list as unknown[]) : []));
  return (
    lastName(node) === name ||
    (isNode(callee) && callee.type === 'MemberExpression' && isOver(callee.object, name)) ||
    [...inner, argument].some(one => isOver(one, name))
  );
}

/** `note` adds to it and calls `roll`, which empties it. */
function isFedAround(syntax: Syntax, index: number, name: string): boolean {
  const feeding = new Set(
    feedersOf(syntax.text, name).map(feeder => runningAt(syntax, functionAround(syntax, offsetOf(syntax, feeder)))),
  );
  feeding.delete(-1);
  const emptying = runningIn(syntax, index);
  return feeding.size > 0 && [...feeding].every(one => reaches(syntax, one, emptying, MOST_CALLS));
}

/** Level by level, each function once: in a minified bundle hundreds go by the same letter. */
function reaches(syntax: Syntax, from: number, to: number, depth: number): boolean {
  const { functionsByName } = indexOf(syntax);
  const seen = new Set([from]);
  let level = [from];
  for (let left = depth; left > 0 && !seen.has(to); left--) {
    const names = new Set(level.flatMap(one => calledIn(syntax, one)));
    level = [...names].flatMap(name => functionsByName.get(name) ?? []).filter(next => !seen.has(next));
    for (const one of level) seen.add(one);
  }
  return seen.has(to);
}

/** True: as a whole; false: an entry; undefined: not at all. */
function emptiedBy(syntax: Syntax, node: SyntaxNode, index: number, name: string): boolean | undefined {
  if (node.type === 'CallExpression') return removingCall(node, name);
  if (node.type === 'UnaryExpression' && node.operator === 'delete') return deletesFrom(node, name) ? false : undefined;
  if (node.type !== 'AssignmentExpression' || node.operator !== '=') return undefined;
  const { left, right } = node;
  if (!isNode(left) || !isNode(right)) return undefined;
  if (isMember(left, 'length') && lastName(left.object) === name) return true;
  if (lastName(left) === name && isPartOf(right, name)) return false;
  return lastName(left) === name && isEmpty(right) && !isFirst(syntax, index) ? true : undefined;
}

/** `list.filter(fresh)`, `list.slice(-90)`: what is left of the same. */
const isPartOf = ({ type, callee }: SyntaxNode, name: string): boolean =>
  type === 'CallExpression' &&
  isNode(callee) &&
  callee.type === 'MemberExpression' &&
  KEEPING.has(lastName(callee.property) ?? '') &&
  lastName(callee.object) === name;

function isReplaced(syntax: Syntax, { type, operator, left, right }: SyntaxNode, index: number, name: string): boolean {
  if (type !== 'AssignmentExpression' || operator !== '=' || !isNode(right)) return false;
  const isNew = right.type === 'NewExpression' || right.type === 'ObjectExpression' || isEmpty(right);
  return isNew && lastName(left) === name && !isFirst(syntax, index);
}

function removingCall({ callee, arguments: args }: SyntaxNode, name: string): boolean | undefined {
  if (!isNode(callee) || callee.type !== 'MemberExpression' || !isNode(callee.property)) return undefined;
  const method = String(callee.property.name);
  if (!REMOVING.has(method) || lastName(callee.object) !== name) return undefined;
  if (method !== 'splice' || !Array.isArray(args)) return method === 'clear';
  const [, count]: unknown[] = args;
  return args.length === 1 || (isNode(count) && isMember(count, 'length') && lastName(count.object) === name);
}

function deletesFrom({ argument }: SyntaxNode, name: string): boolean {
  return isNode(argument) && argument.type === 'MemberExpression' && lastName(argument.object) === name;
}

function isMember(node: SyntaxNode, property: string): boolean {
  return node.type === 'MemberExpression' && isNode(node.property) && node.property.name === property;
}

/** `[]`, `{}`, `new Map()`, `Object.create(null)`. */
export function isEmpty(node: SyntaxNode): boolean {
  if (node.type === 'ArrayExpression') return Array.isArray(node.elements) && node.elements.length === 0;
  if (node.type === 'ObjectExpression') return Array.isArray(node.properties) && node.properties.length === 0;
  if (node.type === 'CallExpression') return lastName(node.callee) === 'create' && isNullPrototype(node);
  const isNew = node.type === 'NewExpression' && isNode(node.callee) && Array.isArray(node.arguments);
  return isNew && (node.arguments as []).length === 0 && COLLECTION.test(String((node.callee as SyntaxNode).name));
}

/** `Object.create(null)`. */
function isNullPrototype({ arguments: args }: SyntaxNode): boolean {
  const [first]: unknown[] = Array.isArray(args) ? args : [];
  return isNode(first) && first.type === 'Literal' && first.value === null;
}

/** In a constructor or at the top level an empty one is where it begins. */
function isFirst(syntax: Syntax, index: number): boolean {
  const around = syntax.around[index] ?? -1;
  return around < 0 || /^(?:new .*|constructor|[A-Z][\w$]*)$/.test(functionName(syntax, around));
}

/** `cache` of `cache`, `this.cache`, `state.cache` and `this.#cache` (as `#cache`). */
export function lastName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier') return String(node.name);
  if (node.type === 'PrivateIdentifier') return `#${String(node.name)}`;
  if (node.type === 'MemberExpression' && !node.computed) return lastName(node.property);
  return node.type === 'ChainExpression' ? lastName(node.expression) : undefined;
}

function isScheduling({ type, callee }: SyntaxNode): boolean {
  return type === 'CallExpression' && SCHEDULING.test(lastName(callee) ?? '');
}

/** The timer whose callback the node lies in, or that calls the function it runs in, itself or through another. */
function timerOf(syntax: Syntax, index: number, timers: readonly SyntaxNode[]): SyntaxNode | undefined {
  const node = syntax.nodes[index] as SyntaxNode; // the caller found it there
  const inside = timers.find(timer => timer.start < node.start && node.end <= timer.end);
  return inside ?? callingTimer(syntax, index, timers, MOST_CALLS);
}

/** A timer calls `tick`, which calls `sweep`, which calls `purge`. */
const MOST_CALLS = 3;

function callingTimer(
  syntax: Syntax,
  index: number,
  timers: readonly SyntaxNode[],
  depth: number,
): SyntaxNode | undefined {
  const around = runningIn(syntax, index);
  const name = around < 0 ? '' : bareName(functionName(syntax, around));
  if (depth === 0 || !/^#?[\w$]+$/.test(name)) return undefined;
  const direct = timers.find(timer => mentions(syntax, timer, name));
  if (direct) return direct;
  for (const call of callsOf(syntax, name)) {
    if (syntax.around[call] === around) continue;
    const timer = callingTimer(syntax, call, timers, depth - 1);
    if (timer) return timer;
  }
  return undefined;
}

function mentions({ text }: Syntax, { start, end }: SyntaxNode, name: string): boolean {
  return new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`).test(text.slice(start, end));
}

function callsOf({ nodes }: Syntax, name: string): number[] {
  return nodes.flatMap((node, i) => (node.type === 'CallExpression' && lastName(node.callee) === name ? [i] : []));
}

/** The function a node runs in: what is handed to `forEach` runs in the function around it. */
const runningIn = (syntax: Syntax, index: number): number => runningAt(syntax, syntax.around[index] ?? -1);

function runningAt(syntax: Syntax, index: number): number {
  let around = index;
  while (around >= 0 && isIterated(syntax, around)) around = syntax.around[around] ?? -1;
  return around;
}

function isIterated(syntax: Syntax, index: number): boolean {
  const call = parentOf(syntax, index);
  if (call?.type !== 'CallExpression' || !isNode(call.callee) || call.callee === syntax.nodes[index]) return false;
  return ITERATING.has(lastName(call.callee) ?? '');
}

const ITERATING = new Set(['forEach', 'map', 'filter', 'some', 'every', 'find', 'reduce', 'flatMap']);

const TAKING = new Set(['shift', 'pop', 'splice']);
/** Words of code that asks how old an entry is. */
const AGE = /\bnow\b|Date|hrtime|getTime|expir|ttl|max_?age|deadline|timestamp/i;

/** Takes from an end, and nothing around it asks for the entries' age. */
function drains(syntax: Syntax, { callee }: SyntaxNode, index: number): boolean {
  if (!isNode(callee) || !isNode(callee.property) || !TAKING.has(String(callee.property.name))) return false;
  const around = syntax.nodes[syntax.around[index] ?? -1];
  return around !== undefined && !AGE.test(syntax.text.slice(around.start, around.end));
}

/** Milliseconds of \`setInterval(…, 1000)\`; undefined when they aren't written there as a number. */
function intervalOf({ text }: Syntax, { arguments: args, callee }: SyntaxNode): number | undefined {
  const delay: unknown = Array.isArray(args) ? args[1] : undefined;
  if (lastName(callee) !== 'setInterval' || !isNode(delay)) return undefined;
  const written = text.slice(delay.start, delay.end);
  const name = /^[\w$]+$/.test(written)
    ? new RegExp(`(?<![\\w$.])${written.replaceAll('$', '\\$')}\\s*=\\s*([\\d_]+)\\s*;`)
    : undefined;
  const ms = Number((/^[\d_]+$/.test(written) ? written : (name?.exec(text)?.[1] ?? '')).replaceAll('_', ''));
  return ms > 0 ? ms : undefined;
}

const bareName = (name: string): string => name.split('.').at(-1) ?? '';
