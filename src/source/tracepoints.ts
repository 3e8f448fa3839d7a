import type { TracePoint } from '../model/evidence/trace.js';
import type { FunctionName } from './names.js';
import { enclosingFunction, functionName } from './names.js';
import type { ScriptText } from './script.js';
import {
  functionAround,
  isNode,
  isWithin,
  offsetOf,
  positionOf,
  type Syntax,
  type SyntaxNode,
  syntaxOf,
  type TextPosition,
} from './syntax.js';
import { displayPath, filePath, isUserCode } from './url.js';

/** How a person names a place: a line of a file, or a function, by name and perhaps by file. */
export type PlaceName =
  | { readonly by: 'line'; readonly file: string; readonly line: number; readonly column?: number }
  | { readonly by: 'function'; readonly name: string; readonly file?: string };

/** Values shown where no expression is given. */
const MAX_NAMES = 10;
/** A line without code stands for the next one that has some, this far below. */
const NEXT_LINES = 12;

/** `src/cart.ts:42`, `src/cart.ts:42:7`, `Cart.total`, `src/cart.ts#total` or `src/cart.ts:total`. */
export function placeName(text: string): PlaceName {
  const line = /^(.+?):(\d+)(?::(\d+))?$/.exec(text);
  if (line?.[1] && line[2])
    return { by: 'line', file: plainFile(line[1]), line: Number(line[2]), ...(line[3] && { column: Number(line[3]) }) };
  const named = /^(.+?)[#:]([\w$.[\]]+)$/.exec(text);
  if (named?.[1] && named[2]) return { by: 'function', file: plainFile(named[1]), name: named[2] };
  return { by: 'function', name: text };
}

const plainFile = (file: string): string => filePath(file).replace(/^\.\//, '');

/** What is shown of a place: `reached`: what is bound there; `function`: every variable of the function around it. */
export type ShownNames = 'reached' | 'function';

/** The places of that name, the application's own before those of packages. */
function tracepoints(
  name: PlaceName,
  scripts: readonly ScriptText[],
  cwd: string,
  shown: ShownNames = 'reached',
): TracePoint[] {
  const found = scripts.flatMap(script => pointsIn(script, name, { cwd, shown }));
  const own = found.filter(({ url }) => isUserCode(url));
  return own.length > 0 ? own : found;
}

interface Wanted {
  readonly cwd: string;
  readonly shown: ShownNames;
}

function pointsIn(script: ScriptText, name: PlaceName, wanted: Wanted): TracePoint[] {
  if (name.by === 'line') return lineIn(script, name, wanted);
  if (name.file !== undefined && !writtenFiles(script).some(file => endsWith(file, name.file ?? ''))) return [];
  return functionsIn(script, name.name, wanted);
}

const writtenFiles = (script: ScriptText): readonly string[] => [filePath(script.url), ...script.files()];

/** True when the path ends with the given one at a folder's border. */
function endsWith(path: string, end: string): boolean {
  return path === end || path.endsWith(`/${end}`) || path.endsWith(`\\${end}`);
}

function lineIn(script: ScriptText, { file, line, column }: PlaceName & { by: 'line' }, wanted: Wanted): TracePoint[] {
  const written = script.files().find(each => endsWith(each, file));
  if (written !== undefined) {
    const spot = script.generated(written, line, column, NEXT_LINES);
    return spot ? [lineAt(script, spot, wanted)] : [];
  }
  if (!endsWith(filePath(script.url), file)) return [];
  const spot = column === undefined ? firstCode(script, line - 1) : { line0: line - 1, column0: column - 1 };
  return spot ? [lineAt(script, spot, wanted)] : [];
}

/** A line at a module's top level ran when it was loaded: where one function begins on it, that function is meant. */
function lineAt(script: ScriptText, spot: TextPosition, wanted: Wanted): TracePoint {
  const syntax = syntaxOf(script.text);
  if (functionAround(syntax, offsetOf(syntax, spot)) !== -1) return pointAt(script, spot, wanted);
  const begun = syntax.functions.flatMap(index => {
    const node = syntax.nodes[index];
    return node && positionOf(syntax, node.start).line0 === spot.line0 ? [node] : [];
  });
  const [only] = begun;
  if (!only || begun.length > 1) return pointAt(script, spot, wanted);
  return pointAt(script, positionOf(syntax, bodyOf(only).start), wanted, positionOf(syntax, only.start));
}

/** The first statement's place from a line on. */
function firstCode(script: ScriptText, line0: number): TextPosition | undefined {
  for (let at = line0; at < line0 + NEXT_LINES; at++) {
    const text = script.line(at);
    if (/^\s*(?:$|\/\/|\/?\*|[\])};,]+\s*$)/.test(text)) continue;
    return { line0: at, column0: text.search(/\S/) };
  }
  return undefined;
}

function functionsIn(script: ScriptText, called: string, wanted: Wanted): TracePoint[] {
  const syntax = syntaxOf(script.text);
  return syntax.functions.flatMap(index => {
    const name = functionName(syntax, index);
    if (!isCalled(name, called)) return [];
    const node = syntax.nodes[index];
    if (!node) return [];
    const at = positionOf(syntax, bodyOf(node).start);
    return [pointAt(script, at, wanted, positionOf(syntax, node.start))];
  });
}

/** `total` is `Cart.total` and `Object.freeze() total` too; a class stands for its constructor. */
const isCalled = (name: string, called: string): boolean =>
  name === called || name === `new ${called}` || name.endsWith(`.${called}`) || name.endsWith(`) ${called}`);

const bodyOf = (node: SyntaxNode): SyntaxNode => (isNode(node.body) ? node.body : node);

/** `named`: where the label points, when that is not the place itself. */
function pointAt(script: ScriptText, spot: TextPosition, { cwd, shown }: Wanted, named?: TextPosition): TracePoint {
  const syntax = syntaxOf(script.text);
  const offset = offsetOf(syntax, spot);
  const index = functionAround(syntax, offset);
  const node = syntax.nodes[index];
  const at = named ?? spot;
  const place = script.original(at.line0, at.column0);
  const own = node && enclosingFunction(script.text, spot.line0, spot.column0);
  const where = `${displayPath(place.file, cwd)}:${place.line}`;
  return {
    label: own ? `${own.name} (${where})` : where,
    url: script.url,
    position: { line: spot.line0, column: spot.column0 },
    ...(node && own && { body: bodyRange(syntax, node, own) }),
    names: node ? namesAt(syntax, index, node, shown === 'function' ? undefined : offset) : [],
  };
}

function bodyRange(syntax: Syntax, node: SyntaxNode, { name }: FunctionName): NonNullable<TracePoint['body']> {
  const [start, end] = [positionOf(syntax, bodyOf(node).start), positionOf(syntax, node.end)];
  const assigned = new Set(syntax.nodes.flatMap(each => (isWithin(each, node) ? assignedNames(each) : [])));
  return {
    name,
    parameters: parameterNames(node),
    unchanged: parameterNames(node).filter(parameter => !assigned.has(parameter)),
    interleaves: node.async === true || node.generator === true,
    start: { line: start.line0, column: start.column0 },
    end: { line: end.line0, column: end.column0 },
  };
}

function assignedNames({ type, left, argument }: SyntaxNode): string[] {
  if (type === 'AssignmentExpression' && isNode(left)) return boundNames(left);
  return type === 'UpdateExpression' && isNode(argument) ? boundNames(argument) : [];
}

const parameterNames = (node: SyntaxNode): string[] =>
  Array.isArray(node.params) ? node.params.filter(isNode).flatMap(boundNames) : [];

/** Names a pattern binds. */
function boundNames(pattern: SyntaxNode): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern.name)];
    case 'AssignmentPattern':
      return isNode(pattern.left) ? boundNames(pattern.left) : [];
    case 'RestElement':
      return isNode(pattern.argument) ? boundNames(pattern.argument) : [];
    case 'ArrayPattern':
      return Array.isArray(pattern.elements) ? pattern.elements.filter(isNode).flatMap(boundNames) : [];
    case 'ObjectPattern':
      return Array.isArray(pattern.properties) ? pattern.properties.filter(isNode).flatMap(boundNames) : [];
    case 'Property':
      return isNode(pattern.value) ? boundNames(pattern.value) : [];
    default:
      return [];
  }
}

/** Parameters, and the function's variables whose blocks reach the place; without one, all of its variables. */
function namesAt(syntax: Syntax, index: number, node: SyntaxNode, offset?: number): string[] {
  const variables = syntax.nodes.flatMap((each, at) => {
    if (each.type !== 'VariableDeclarator' || syntax.around[at] !== index || !isNode(each.id)) return [];
    const block = syntax.nodes[syntax.parents[syntax.parents[at] ?? -1] ?? -1];
    const reaches =
      offset === undefined || (each.end <= offset && block && block.start <= offset && offset <= block.end);
    return reaches ? boundNames(each.id) : [];
  });
  return [...new Set([...parameterNames(node), ...variables])].slice(0, MAX_NAMES);
}

/** Several functions of one name are ambiguous; a method and its override are two. */
const MAX_SAID = 6;

/** A place for each of the words, or a sentence that says which one has none or too many. */
export function resolvePlaces(
  words: readonly string[],
  scripts: readonly ScriptText[],
  cwd: string,
  shown?: ShownNames,
): readonly TracePoint[] | string {
  const points: TracePoint[] = [];
  for (const word of words) {
    const found = distinct(tracepoints(placeName(word), scripts, cwd, shown));
    const [only, ...more] = found;
    if (!only) return `The target runs no code at “${word}”. ${HOW_TO_NAME}`;
    if (more.length > 0) {
      const said = found.slice(0, MAX_SAID).map(({ label }) => `  ${label}`);
      return `“${word}” is ${found.length} places; name one by its file and line:\n${said.join('\n')}`;
    }
    points.push(only);
  }
  return points;
}

const HOW_TO_NAME =
  'A place is FILE:LINE, a function’s name, Class.method, or FILE#name, of code that is loaded already.';

/** A module that was loaded twice from one url is one place: the logpoint goes into both. */
function distinct(points: readonly TracePoint[]): TracePoint[] {
  const seen = new Map(points.map(point => [`${point.url} ${point.position.line}:${point.position.column}`, point]));
  return [...seen.values()];
}
