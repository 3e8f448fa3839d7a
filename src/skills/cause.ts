import { type Blame, blame } from '../cpu/blame.js';
import { fromLine, type LineReader, type Mechanism, mechanisms, totals } from '../cpu/mechanism.js';
import { type Owned, owned, ownerOf } from '../cpu/owned.js';
import type { CallTree, Frame } from '../cpu/tree.js';
import type { Weights } from '../cpu/weights.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Accumulation, accumulations, resorts } from '../source/accumulating.js';
import { type CallSite, callsInFunction, callsOnLineOf } from '../source/calls.js';
import { declarationOf } from '../source/declarations.js';
import { definitionOf, enclosingFunction } from '../source/names.js';
import type { ScriptText } from '../source/script.js';
import type { TextPosition } from '../source/syntax.js';
import { type Found, siteOf } from './call-site.js';
import { callerOfPackage } from './package-caller.js';
import { locate, sourceOf } from './place.js';

/** Why a stretch of time was spent, and where: one per stretch, shared by all who speak of it. */
export interface Cause {
  readonly blame: Blame;
  readonly owned: Owned;
  /** The line that does it, with the function around it. */
  readonly place: CodeLocation;
  readonly mechanism: Mechanism;
  /** What is called there: `JSON.stringify`, `gzipSync`. */
  readonly what: string;
  /** Share of the blamed function's time with that mechanism, 0..1. */
  readonly mechanismShare: number;
  /** User functions that led there, outermost first, the blamed one last. */
  readonly users: readonly Frame[];
  /** Where the request or job enters the application, when that is another function; of a package its own busy place. */
  readonly entry?: CodeLocation;
  readonly scripts: ReadonlyMap<string, ScriptText>;
  /** Where all that was gathered is copied or sorted once more for each piece that is added. */
  readonly growing?: Growing;
}

/** Work that grows with the square of what is gathered. */
export interface Growing {
  readonly how: 'copies' | 'sorts';
  readonly at: Accumulation;
  /** The function that gathers: the blamed one, or the one whose comparator is blamed. */
  readonly frame: Frame;
  /** Its part of the blamed function's time, 0..1. */
  readonly share: number;
}

/** A longer line is minified: what stands on it doesn't tell which part was busy. */
export const READABLE_LINE = 400;
/** Scripts read for one cause beside the blamed one: those with most self time. */
const MAX_SCRIPTS = 4;
/** A mechanism with a smaller share of the function's time is a part of its computing. */
const MECHANISM_SHARE = 0.5;
/** Share of the matching time that one pattern or call has to take; date parsers and Markdown run a dozen alike. */
const ONE_PATTERN_SHARE = 0.5;

/** Whom and what to name for the weighed time; undefined when nothing ran. */
export async function* explain(see: OperatorView, tree: CallTree, weights: Weights): Step<Cause | undefined> {
  const blamed = blame(tree, weights);
  if (!blamed) return undefined;
  const parts = owned(tree, weights, blamed.frameIndex);
  const users = distinct(blamed.path.filter(frame => frame.kind === 'user'));
  const scripts = yield* read(see, [blamed.frame, ...users.slice(0, 1)], parts);
  const told = mechanismOf(tree, weights, blamed, readerOf(scripts));
  const growing = growingOf(scripts.get(blamed.frame.scriptId), users, parts, told.mechanism);
  const { mechanism, what, share } = growing ? foundOf(growing) : told;
  const logged =
    mechanism === 'compute' ? loggerCall(scripts.get(blamed.frame.scriptId), blamed.frame, parts) : undefined;
  if (logged) {
    const place = placeOf(see, blamed.frame, parts, { mechanism: 'logging', what: logged }, scripts, users);
    return {
      blame: blamed,
      owned: parts,
      place,
      mechanism: 'logging',
      what: logged,
      mechanismShare: 1,
      users,
      scripts,
    };
  }
  const own = growing
    ? placeOfGrowing(see, growing, scripts, users)
    : placeOf(see, blamed.frame, parts, { mechanism, what }, scripts, users);
  const caller = blamed.frame.kind === 'package' ? yield* callerOfPackage(see, blamed.path, mechanism) : undefined;
  const called = writtenCall(scripts.get(blamed.frame.scriptId), blamed.frame, parts, { mechanism, what });
  const entry = caller ? own : users.length > 1 ? entryOf(see, users[0]!, scripts) : undefined;
  return {
    blame: blamed,
    owned: parts,
    place: caller ?? own,
    mechanism,
    what: called ?? what,
    mechanismShare: share,
    users,
    scripts,
    ...(growing ? { growing } : {}),
    ...(entry ? { entry } : {}),
  };
}

/** What loggers call their levels; a package behind such a method, called for its effect alone, is a logger. */
const LEVELS = new Set(['log', 'info', 'warn', 'error', 'debug', 'trace', 'verbose', 'silly', 'fatal', 'notice']);

/** The logger's call as written, when most of the function's time is a package reached through a level's method. */
function loggerCall(script: ScriptText | undefined, frame: Frame, parts: Owned): string | undefined {
  const callee = parts.callees[0];
  const all = parts.selfUs + parts.callees.reduce((sum, each) => sum + each.us, 0);
  const packaged = parts.callees.filter(each => each.frame.kind === 'package').reduce((sum, each) => sum + each.us, 0);
  if (!script || callee?.frame.kind !== 'package' || packaged < MECHANISM_SHARE * all) return undefined;
  const calls = callsInFunction(script.text, frame.line, frame.column);
  // `<computed>` and anonymous: level methods are often made in a loop.
  const name = /[\w$]+$/.exec(callee.frame.functionName)?.[0] ?? '';
  const anyLevel = name === '' || name === 'LOG' || LEVELS.has(name);
  const named = calls.find(call => (anyLevel ? LEVELS.has(call.method) : call.method === name));
  return named && LEVELS.has(named.method) && named.callee.includes('.') ? named.callee : undefined;
}

function distinct(frames: readonly Frame[]): Frame[] {
  return [...new Set(frames)];
}

async function* read(see: OperatorView, frames: readonly Frame[], parts: Owned): Step<Map<string, ScriptText>> {
  const wanted = frames.filter(frame => frame.kind === 'user' || frame.kind === 'package').map(frame => frame.scriptId);
  const ids = [
    ...new Set([
      ...wanted,
      ...parts.scripts.slice(0, MAX_SCRIPTS),
      ...parts.packages.slice(0, 1).map(p => p.frame.scriptId),
    ]),
  ];
  const scripts = new Map<string, ScriptText>();
  for (const id of ids) {
    const script = yield* sourceOf(see, id, ids);
    if (script) scripts.set(id, script);
  }
  return scripts;
}

/** The calls on a line of a frame; for minified code all calls of the function. */
function readerOf(scripts: ReadonlyMap<string, ScriptText>): LineReader {
  return (frame, line) => {
    const text = scripts.get(frame.scriptId)?.text;
    if (text === undefined) return [];
    if (line > 0 && (scripts.get(frame.scriptId)?.line(line - 1).length ?? 0) <= READABLE_LINE)
      return callsWithin(text, frame, line);
    return callsInFunction(text, frame.line, frame.column);
  };
}

function mechanismOf(tree: CallTree, weights: Weights, blamed: Blame, reader: LineReader) {
  const times = mechanisms(tree, weights, node => ownerOf(tree, node, blamed.frameIndex), reader);
  const top = totals(times)[0];
  const share = top && blamed.ownedUs > 0 ? top.us / blamed.ownedUs : 0;
  if (!top || share < MECHANISM_SHARE)
    return { mechanism: 'compute' as Mechanism, what: blamed.frame.functionName, share };
  const first = times.find(time => time.mechanism === top.mechanism);
  // Many small patterns are parsing, which is computing; a pattern that backtracks is a single one.
  if (top.mechanism === 'regexp' && (first?.us ?? 0) < ONE_PATTERN_SHARE * top.us)
    return { mechanism: 'compute' as Mechanism, what: blamed.frame.functionName, share };
  const what = first?.what ?? top.what;
  return { mechanism: top.mechanism, what, share };
}

const CONCAT = new Set(['concat', 'copy', '_copyActual']);

/** Work of the blamed function that grows with what it has gathered, when that takes most of its time. */
function growingOf(
  script: ScriptText | undefined,
  users: readonly Frame[],
  parts: Owned,
  mechanism: Mechanism,
): Growing | undefined {
  const frame = users.at(-1);
  if (!script || !frame || (mechanism !== 'compute' && mechanism !== 'sort')) return undefined;
  const position = { line0: frame.line, column0: frame.column };
  const at = resorts(script.text, position);
  const isComparator = at !== undefined && isBefore(at, position);
  if (at && (isComparator || mechanism === 'sort'))
    return { how: 'sorts', at, frame: (isComparator && users.at(-2)) || frame, share: 1 };
  return copyOf(accumulations(script.text, position), frame, parts);
}

const isBefore = (a: TextPosition, b: TextPosition): boolean =>
  a.line0 < b.line0 || (a.line0 === b.line0 && a.column0 < b.column0);

function placeOfGrowing(
  see: OperatorView,
  { at, frame }: Growing,
  scripts: ReadonlyMap<string, ScriptText>,
  users: readonly Frame[],
): CodeLocation {
  const script = scripts.get(frame.scriptId);
  const spot = { ...frame, line: at.line0, column: at.column0 };
  const functionName = script ? nameAt(script, frame, spot) : frame.functionName;
  return locate(script, { ...spot, functionName }, see.target.cwd, viaOf(users, scripts));
}

/** The accumulation that takes most of a function's time: on its lines, or in Node's Buffer.concat beneath it. */
function copyOf(all: readonly Accumulation[], frame: Frame, parts: Owned): Growing | undefined {
  const beneath = parts.callees
    .filter(callee => callee.frame.url === 'node:buffer' && CONCAT.has(callee.frame.functionName))
    .reduce((sum, { us }) => sum + us, 0);
  for (const at of all) {
    const own = parts.lines.filter(({ line }) => line > at.line0 && line <= at.endLine0 + 1);
    const us = own.reduce((sum, line) => sum + line.us, at.code.includes('Buffer.concat') ? beneath : 0);
    const share = us / Math.max(1, allOf(parts));
    if (share >= MECHANISM_SHARE) return { how: 'copies', at, frame, share };
  }
  return undefined;
}

const foundOf = ({ how, at, share }: Growing): Found & { share: number } => ({
  mechanism: how === 'sorts' ? 'sort' : 'copying',
  what: at.code,
  share,
});

function placeOf(
  see: OperatorView,
  frame: Frame,
  parts: Owned,
  found: Found,
  scripts: ReadonlyMap<string, ScriptText>,
  users: readonly Frame[],
): CodeLocation {
  const script = scripts.get(frame.scriptId);
  const position = script ? busyPosition(script, frame, parts, found) : frame;
  const functionName = script ? nameAt(script, frame, position) : frame.functionName;
  const location = locate(script, { ...frame, ...position, functionName }, see.target.cwd, viaOf(users, scripts));
  const owner = packageFor(parts, found);
  return owner === undefined ? location : { ...location, package: owner };
}

/** The package in which the mechanism lies: the innermost with most of the time; of a logger the one that was called. */
function packageFor(parts: Owned, { mechanism }: Found): string | undefined {
  if (mechanism === 'logging') return parts.callees.find(callee => callee.frame.kind === 'package')?.frame.package;
  const owner = parts.packages[0];
  if (owner && owner.us >= MECHANISM_SHARE * allOf(parts)) return owner.name;
  // Spread over a package and its helpers: then the one that is called.
  const called = parts.callees.find(callee => callee.frame.kind === 'package')?.frame.package;
  const us = parts.callees.filter(callee => callee.frame.package === called).reduce((sum, { us }) => sum + us, 0);
  return called !== undefined && us >= MECHANISM_SHARE * allOf(parts) ? called : undefined;
}

/** The call as the source writes it (`zlib.gzipSync`), where V8 only knows Node's inner function. */
function writtenCall(script: ScriptText | undefined, frame: Frame, parts: Owned, found: Found): string | undefined {
  const callee = parts.callees[0];
  if (!script || !callee || callee.us <= parts.selfUs || /^(compute|copying)$/.test(found.mechanism)) return undefined;
  const site = siteOf(script, frame, callee.frame, found, parts.heavy);
  // Bundlers write an imported function as `(0, module.call)`.
  const written = site?.callee.replace(/^\(?0, /, '').replace(/\)$/, '');
  return written !== undefined && written.length <= 60 ? written : undefined;
}

/** V8 lays the time of a function it inlined to the outer one, but the line stays: then that function is meant. */
function nameAt(script: ScriptText, frame: Frame, { line, column }: Position): string {
  const own = enclosingFunction(script.text, frame.line, frame.column);
  const inside = own === undefined || (line >= own.line0 && line <= own.endLine0);
  const name = inside
    ? script.functionName(frame.line, frame.column, frame.functionName)
    : script.functionName(line, column);
  return name ?? frame.functionName;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** 0-based place of the blamed function that is busy: its own hottest line, or the call of its heaviest callee. */
function busyPosition(script: ScriptText, frame: Frame, parts: Owned, found: Found): Position {
  const callee = parts.callees[0];
  const site = callee && callee.us > parts.selfUs ? siteOf(script, frame, callee.frame, found, parts.heavy) : undefined;
  if (site) return { line: site.line0, column: site.column0 };
  const hot = hotLine(script, frame, parts);
  const readable = hot !== undefined && script.line(hot - 1).length <= READABLE_LINE;
  const calls = readable
    ? callsWithin(script.text, frame, hot)
    : callsInFunction(script.text, frame.line, frame.column);
  const told = calls.find(call => fromLine([call])?.mechanism === found.mechanism);
  if (told) return { line: told.line0, column: told.column0 };
  return readable ? { line: hot - 1, column: Math.max(0, script.line(hot - 1).search(/\S/)) } : frame;
}

/**
 * True when the time stands on a line that only calls a function of the application: V8 inlined it before the profiler
 * came, and then names the outer one.
 */
export function hidesInlined({ blame: { frame }, owned: parts, mechanism, scripts }: Cause): boolean {
  const script = scripts.get(frame.scriptId);
  const hot = parts.lines[0]?.line ?? 0;
  if (!script || hot === 0 || parts.selfUs < MECHANISM_SHARE * allOf(parts)) return false;
  if (!isInside(script, frame, hot) || script.line(hot - 1).length > READABLE_LINE) return true;
  if (mechanism !== 'compute') return false;
  return callsWithin(script.text, frame, hot).some(call => call.kind === 'call' && isApplications(script.text, call));
}

const allOf = (parts: Owned): number => parts.selfUs + parts.callees.reduce((sum, callee) => sum + callee.us, 0);

/** True for a 1-based line of the function itself; code that V8 inlined into it keeps the line of its own script. */
function isInside(script: ScriptText, frame: Frame, line: number): boolean {
  const own = enclosingFunction(script.text, frame.line, frame.column);
  return own === undefined || (line - 1 >= own.line0 && line - 1 <= own.endLine0);
}

/** A name the script defines or imports; methods of built-in values are V8's own. */
function isApplications(text: string, call: CallSite): boolean {
  const root = /^[\w$]+/.exec(call.callee)?.[0] ?? '';
  return (
    definitionOf(text, call.method) !== undefined ||
    declarationOf(text, root)?.kind === 'import' ||
    new RegExp(`\\b${escaped(root)}\\b[^;\\n]*=[^;\\n]*require\\(`).test(text)
  );
}

/** The calls on a 1-based line that stand inside of a function, those of its inner functions too. */
const callsWithin = (text: string, frame: Frame, line: number): CallSite[] =>
  callsOnLineOf(text, line - 1, { line0: frame.line, column0: frame.column });

/** The hottest line of the function itself; else one of a function of the same script that it calls. */
function hotLine(script: ScriptText, frame: Frame, parts: Owned): number | undefined {
  const known = parts.lines.filter(line => line.line > 0).map(line => line.line);
  const own = known.find(line => isInside(script, frame, line));
  if (own !== undefined) return own;
  const called = new Set(callsInFunction(script.text, frame.line, frame.column).map(call => call.method));
  return known.find(line =>
    called.has(
      script
        .functionName(line - 1, script.line(line - 1).search(/\S|$/))
        ?.split('.')
        .at(-1) ?? '',
    ),
  );
}

const escaped = (name: string): string => name.replace(/[$]/g, '\\$');

function entryOf(see: OperatorView, frame: Frame, scripts: ReadonlyMap<string, ScriptText>): CodeLocation {
  return locate(scripts.get(frame.scriptId), frame, see.target.cwd);
}

function viaOf(users: readonly Frame[], scripts: ReadonlyMap<string, ScriptText>): string[] {
  return users.map(
    frame =>
      scripts.get(frame.scriptId)?.functionName(frame.line, frame.column, frame.functionName) ??
      (frame.functionName || '(anonymous)'),
  );
}
