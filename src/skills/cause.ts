import { type Blame, blame } from '../cpu/blame.js';
import { fromLine, type LineReader, type Mechanism, mechanisms, totals } from '../cpu/mechanism.js';
import { type Owned, owned, ownerOf } from '../cpu/owned.js';
import type { CallTree, Frame } from '../cpu/tree.js';
import type { Weights } from '../cpu/weights.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type CallSite, callsInFunction, callsOnLine } from '../source/calls.js';
import type { ScriptText } from '../source/script.js';
import { isFile } from '../source/url.js';
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
  /** Where the request or job enters the application, when that is another function. */
  readonly entry?: CodeLocation;
  readonly scripts: ReadonlyMap<string, ScriptText>;
}

/** A longer line is minified: what stands on it doesn't tell which part was busy. */
const READABLE_LINE = 400;
/** Scripts read for one cause beside the blamed one: those with most self time. */
const MAX_SCRIPTS = 4;
/** A mechanism with a smaller share of the function's time is a part of its computing. */
const MECHANISM_SHARE = 0.5;

/** Whom and what to name for the weighed time; undefined when nothing ran. */
export async function* explain(see: OperatorView, tree: CallTree, weights: Weights): Step<Cause | undefined> {
  const blamed = blame(tree, weights);
  if (!blamed) return undefined;
  const parts = owned(tree, weights, blamed.frameIndex);
  const users = distinct(blamed.path.filter(frame => frame.kind === 'user'));
  const scripts = yield* read(see, [blamed.frame, ...users.slice(0, 1)], parts);
  const { mechanism, what, share } = mechanismOf(tree, weights, blamed, readerOf(scripts));
  const place = placeOf(see, blamed.frame, parts, { mechanism, what }, scripts, users);
  const entry = users.length > 1 ? entryOf(see, users[0]!, scripts) : undefined;
  return {
    blame: blamed,
    owned: parts,
    place,
    mechanism,
    what,
    mechanismShare: share,
    users,
    scripts,
    ...(entry ? { entry } : {}),
  };
}

function distinct(frames: readonly Frame[]): Frame[] {
  return [...new Set(frames)];
}

async function* read(see: OperatorView, frames: readonly Frame[], parts: Owned): Step<Map<string, ScriptText>> {
  const wanted = frames.filter(frame => isFile(frame.url)).map(frame => frame.scriptId);
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
      return callsOnLine(text, line - 1);
    return callsInFunction(text, frame.line, frame.column);
  };
}

function mechanismOf(tree: CallTree, weights: Weights, blamed: Blame, reader: LineReader) {
  const times = mechanisms(tree, weights, node => ownerOf(tree, node, blamed.frameIndex), reader);
  const top = totals(times)[0];
  const share = top && blamed.ownedUs > 0 ? top.us / blamed.ownedUs : 0;
  if (!top || share < MECHANISM_SHARE)
    return { mechanism: 'compute' as Mechanism, what: blamed.frame.functionName, share };
  const what = times.find(time => time.mechanism === top.mechanism)?.what ?? top.what;
  return { mechanism: top.mechanism, what, share };
}

interface Found {
  readonly mechanism: Mechanism;
  readonly what: string;
}

function placeOf(
  see: OperatorView,
  frame: Frame,
  parts: Owned,
  found: Found,
  scripts: ReadonlyMap<string, ScriptText>,
  users: readonly Frame[],
): CodeLocation {
  const script = scripts.get(frame.scriptId);
  const position = script ? busyPosition(script, frame, parts, found) : { line: frame.line, column: frame.column };
  const named = script?.functionName(frame.line, frame.column, frame.functionName) ?? frame.functionName;
  const location = locate(
    script,
    { ...frame, ...position, functionName: named },
    see.target.cwd,
    viaOf(users, scripts),
  );
  const owner = parts.packages[0];
  const all = parts.selfUs + parts.callees.reduce((sum, callee) => sum + callee.us, 0);
  return owner && owner.us >= MECHANISM_SHARE * all ? { ...location, package: owner.name } : location;
}

/** 0-based place of the blamed function that is busy: its own hottest line, or the call of its heaviest callee. */
function busyPosition(script: ScriptText, frame: Frame, parts: Owned, found: Found): { line: number; column: number } {
  const callee = parts.callees[0];
  const site = callee && callee.us > parts.selfUs ? siteOf(script, frame, callee.frame, found) : undefined;
  if (site) return { line: site.line0, column: site.column0 };
  const hot = parts.lines.find(line => line.line > 0)?.line;
  const text = hot === undefined ? '' : script.line(hot - 1);
  const calls = callsInFunction(script.text, frame.line, frame.column);
  if (hot === undefined || text.length > READABLE_LINE) {
    const told = calls.find(call => fromLine([call])?.mechanism === found.mechanism);
    return told ? { line: told.line0, column: told.column0 } : { line: frame.line, column: frame.column };
  }
  const told = callsOnLine(script.text, hot - 1).find(call => fromLine([call])?.mechanism === found.mechanism);
  return { line: hot - 1, column: told?.column0 ?? Math.max(0, text.search(/\S/)) };
}

/** Where a function calls a callee: by its name, by the package's variable, by the mechanism's look. */
function siteOf(script: ScriptText, frame: Frame, callee: Frame, { mechanism }: Found): CallSite | undefined {
  const calls = callsInFunction(script.text, frame.line, frame.column).filter(call => call.kind !== 'spread');
  const name = /[\w$]+$/.exec(callee.functionName)?.[0];
  if (callee.kind === 'regexp') return calls.find(call => fromLine([call])?.mechanism === 'regexp');
  const bound = callee.package === undefined ? [] : boundNames(script.text, callee.package);
  const ofPackage = calls.filter(call =>
    bound.some(each => new RegExp(`(^|[^\\w$.])${escaped(each)}($|[^\\w$])`).test(call.callee)),
  );
  return (
    ofPackage.find(call => call.method === name) ??
    calls.find(call => call.method === name) ??
    ofPackage[0] ??
    calls.find(call => fromLine([call])?.mechanism === mechanism && mechanism !== 'compute')
  );
}

const escaped = (name: string): string => name.replace(/[$]/g, '\\$');

/** Variables that a script binds to a package by import or require. */
function boundNames(text: string, packageName: string): string[] {
  const quoted = `["'\`]${packageName.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}(?:/[^"'\`]*)?["'\`]`;
  const required = new RegExp(`(?:const|let|var)\\s+([\\w$]+|\\{[^}]*\\})\\s*=[^;\\n]*?require\\(${quoted}\\)`, 'g');
  const imported = new RegExp(`import\\s+([^;'"]*?)\\s+from\\s*${quoted}`, 'g');
  const clauses = [...text.matchAll(required), ...text.matchAll(imported)].map(match => match[1] ?? '');
  return clauses.flatMap(clause => clause.match(/[\w$]+(?=\s*(?:,|\}|$))/g) ?? []);
}

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
