import { functionName } from './names.js';
import { isNode, lineText, positionOf, type Syntax, type SyntaxNode, syntaxOf, type TextPosition } from './syntax.js';

/** A call in the application, over a variable, of what a package keeps its growing container in. */
export interface Use extends TextPosition {
  /** `client.publish`, `orm.em.persist`. */
  readonly callee: string;
  readonly code: string;
  readonly function: string;
  /** How well the call fits what grows; see `usesOver`. */
  readonly fit: number;
}

/** What is known of the container: names of fields from the variable down to it, and the class of its newest entry. */
export interface Kept {
  readonly below: readonly string[];
  readonly entryClass?: string;
  /** Names of fields on the way to containers that gain the same entries. */
  readonly beside?: readonly string[];
}

/** The call names a field on the way to the container: `crm.interceptors.request.use(…)`. */
const FIELD_FIT = 4;
/** Its method shares a word with a field or the entry's class: `store.iterator(…)` and an Iterator. */
const WORD_FIT = 3;
/** Its method says that something is made or handed over. */
const MAKING_FIT = 2;
/** At least this fit is needed to say who fills it. */
export const LEAST_FIT = 2;
/** It neither reads nor takes away by its name: `client.query(…)` fills a cache of answers. */
export const ANY_FIT = 1;
/** Above this the name itself ties the call to what grows. */
export const SURE_FIT = WORD_FIT;

const MAKING =
  /^(?:add|append|attach|begin|build|connect|create|define|emit|enqueue|extend|insert|load|log|make|next|observe|open|persist|post|publish|push|put|record|register|save|schedule|send|set|start|store|submit|subscribe|track|upsert|use|write)/i;
/** Reads and what takes away: these fill nothing. */
const READING =
  /^(?:clear|close|delete|destroy|disconnect|dispose|drop|end|exit|find|flush|get|has|is|keys|list|off|on|once|quit|read|release|remove|shutdown|size|stop|to|unsubscribe|values|addListener|addEventListener)(?![a-z])/;
/** Shorter words ("id", "set") are shared by chance. */
const LEAST_WORD = 4;
/** Words that every library uses. */
const COMMON = new Set([
  'internal',
  'internals',
  'options',
  'object',
  'default',
  'data',
  'state',
  'value',
  'values',
  'client',
  'store',
]);

/**
 * Calls of methods of `variable` inside functions, the best fitting first. A statement of the top level runs once: it
 * fills nothing. With `made`, also calls over variables that were made with one of the container's field names as a
 * literal: `const duration = new Histogram({ name: 'http_seconds' })` and `metrics.http_seconds.hashMap`.
 */
export function usesOver(text: string, variable: string, kept: Kept, least = LEAST_FIT): Use[] {
  const syntax = syntaxOf(text);
  const made = madeWith(syntax, kept.below);
  return syntax.nodes
    .flatMap((node, index) =>
      node.type === 'CallExpression' ? (callUse(syntax, index, variable, made, kept) ?? []) : [],
    )
    .filter(({ fit }) => fit >= least)
    .sort((a, b) => b.fit - a.fit);
}

function callUse(
  syntax: Syntax,
  index: number,
  variable: string,
  made: ReadonlySet<string>,
  kept: Kept,
): Use | undefined {
  const around = syntax.around[index] ?? -1;
  const node = syntax.nodes[index] as SyntaxNode; // the caller found it there
  const { callee } = node;
  if (around < 0 || !isNode(callee) || (kept.entryClass !== FUNCTION && isSubscription(node))) return undefined;
  const chain = namesOf(callee);
  const at = chain.findIndex(name => name === variable || made.has(name));
  if (at < 0 || at === chain.length - 1) return undefined;
  const isMade = made.has(chain[at] ?? '');
  const fit = fitOf(chain.slice(at + 1), kept) + (isMade ? FIELD_FIT : 0);
  const property = callee.type === 'MemberExpression' && isNode(callee.property) ? callee.property : callee;
  const position = positionOf(syntax, property.start);
  return {
    ...position,
    callee: chain.join('.'),
    code: lineText(syntax.text, position.line0).trim().slice(0, 160),
    function: functionName(syntax, around),
    fit,
  };
}

/** The class of entries that are functions. */
const FUNCTION = 'function';

/** `readings.subscribe(r => …)` hands over a function, and nothing else that could pile up. */
function isSubscription({ callee, arguments: args }: SyntaxNode): boolean {
  const first: unknown = Array.isArray(args) ? args[0] : undefined;
  const method = isNode(callee) ? namesOf(callee).at(-1) : undefined;
  return method === 'subscribe' && isNode(first) && /Function/.test(first.type);
}

function fitOf(chain: readonly string[], { below, entryClass, beside = [] }: Kept): number {
  const method = chain.at(-1) ?? '';
  if (READING.test(method)) return 0;
  const named = chain.slice(0, -1).some(name => below.includes(name)) ? FIELD_FIT : 0;
  const words = new Set([...below, ...beside, entryClass ?? ''].flatMap(wordsOf));
  const shared = wordsOf(method).some(word => words.has(word)) ? WORD_FIT : 0;
  return named + shared + (MAKING.test(method) ? MAKING_FIT : named + shared === 0 ? ANY_FIT : 0);
}

/** `addResourceBundle` → resource, bundle: small, without the s of many. */
function wordsOf(name: string): string[] {
  return name
    .split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/)
    .map(word => word.toLowerCase().replace(/s$/, ''))
    .filter(word => word.length >= LEAST_WORD && !COMMON.has(word));
}

/** `registerInstance` and `_registry`, `subscribe` and `subscriptions` begin with the same letters; shorter ones do by chance. */
const STEM = 6;

/** Whether a method's name and a field's have a word of the same stem. */
export function soundsLike(method: string, fields: readonly string[]): boolean {
  const stems = (name: string) => wordsOf(name).flatMap(word => (word.length >= STEM ? [word.slice(0, STEM)] : []));
  const known = new Set(fields.flatMap(stems));
  return !READING.test(method) && stems(method).some(stem => known.has(stem));
}

/** A field name this long is hardly written as a literal by chance. */
const LEAST_LITERAL = 5;

/** Variables whose value was made from a text that is also a field's name on the way to the container. */
function madeWith({ nodes, parents }: Syntax, below: readonly string[]): ReadonlySet<string> {
  const names = new Set(below.filter(name => name.length >= LEAST_LITERAL));
  const variables = new Set<string>();
  nodes.forEach((node, index) => {
    if (node.type !== 'Literal' || !names.has(String(node.value))) return;
    for (let at = parents[index] ?? -1; at >= 0; at = parents[at] ?? -1) {
      const above = nodes[at];
      if (!above || /Function|Statement$/.test(above.type)) return;
      if (above.type !== 'VariableDeclarator' && above.type !== 'PropertyDefinition') continue;
      const target = above.id ?? above.key;
      if (isNode(target) && typeof target.name === 'string') variables.add(target.name);
      return;
    }
  });
  return variables;
}

/** Names of a callee's chain, outermost first; calls between are passed through: `metric.labels(x).observe` → three. */
function namesOf(node: SyntaxNode): string[] {
  switch (node.type) {
    case 'Identifier':
      return [String(node.name)];
    case 'PrivateIdentifier':
      return [`#${String(node.name)}`];
    case 'MemberExpression':
      if (!isNode(node.object) || !isNode(node.property)) return [];
      return node.computed ? namesOf(node.object) : [...namesOf(node.object), ...namesOf(node.property)];
    case 'CallExpression':
      return isNode(node.callee) ? namesOf(node.callee) : [];
    case 'ChainExpression':
    case 'AwaitExpression':
      return [node.expression, node.argument].flatMap(inner => (isNode(inner) ? namesOf(inner) : []));
    default:
      return [];
  }
}

/** Where a field gets a thing that is made for it: `this.#undo = new UndoManager(…)`, `undo = createUndo()`. */
export function makingOf(text: string, field: string): TextPosition | undefined {
  const syntax = syntaxOf(text);
  const made = syntax.nodes.find(node => {
    const [target, value] =
      node.type === 'PropertyDefinition' ? [node.key, node.value] : [memberOf(node.left), node.right];
    return isNode(target) && isNode(value) && namesOf(target).at(-1) === field && MADE.has(value.type);
  });
  return made && positionOf(syntax, made.start);
}

const MADE = new Set(['NewExpression', 'CallExpression', 'AwaitExpression']);

const memberOf = (node: unknown): unknown =>
  isNode(node) && node.type === 'MemberExpression' ? node.property : undefined;
