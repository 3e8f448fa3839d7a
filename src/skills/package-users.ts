import type { Holder } from '../heap/growth/holder.js';
import type { Suspect } from '../heap/growth/suspects.js';
import type { PathStep } from '../model/evidence/collection-growth.js';
import type { ScriptPosition } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callSites } from '../source/calls.js';
import { declarationOf } from '../source/declarations.js';
import { enclosingFunction } from '../source/names.js';
import type { ScriptText } from '../source/script.js';
import { isUserCode } from '../source/url.js';
import { makingOf, soundsLike } from '../source/uses.js';
import { type Fed, type Files, type Home, isRegistration, MOST_SCRIPTS } from './growth-home.js';
import { locate, sourceOf } from './place.js';

/** Steps into one of many things that a collection of the application holds. */
const INTO_ELEMENT: ReadonlySet<string> = new Set(['map-value', 'set-value', 'element', 'index']);

/**
 * `pages.get(*).#undo.undoStack`: the application's own objects each hold a thing that a package made. The collection
 * they lie in says nothing of it; the line that makes the thing does.
 */
export async function* madeFor(
  see: OperatorView,
  { row, holder, fault }: Suspect,
  files: Files,
): Step<Fed | undefined> {
  if (holder.package === undefined || isRegistration(fault)) return undefined;
  const fields = row.path.flatMap((step, at) => {
    const isField = (step.kind === 'private' || step.kind === 'property') && isElement(row.path[at - 1]);
    return isField && at < row.path.length - 1 ? [step.name] : [];
  });
  const ids = files.slice(0, MOST_SCRIPTS).map(one => one.scriptId);
  for (const name of fields.reverse()) {
    for (const { scriptId, url } of files.slice(0, MOST_SCRIPTS)) {
      const script = yield* sourceOf(see, scriptId, ids);
      const made = script && makingOf(script.text, name);
      if (!script || !made || script.ownerAt(made.line0, made.column0) !== undefined) continue;
      const spot = { scriptId, url, line: made.line0, column: made.column0 };
      return { ...usedAt(see, script, spot, script.line(made.line0).trim().slice(0, 120)), isCause: true };
    }
  }
  return undefined;
}

const isElement = (step: PathStep | undefined): boolean => step !== undefined && INTO_ELEMENT.has(step.kind);

/** The file that made what leads to the container has no such field: it is a library's. */
export function isForeign({ script, below }: Home): boolean {
  const field = (below.at(-1) ?? '').replace('#', '');
  return (
    below.length > 1 && /^[\w$]+$/.test(field) && !new RegExp(`\\b${field.replaceAll('$', '\\$')}\\b`).test(script.text)
  );
}

/** The declaration only brings a package in. */
export const isImport = ({ script, name, spot }: Home): boolean => {
  const found = declarationOf(script.text, name, spot.line);
  return found?.kind === 'import' || (found !== undefined && /\brequire\(/.test(script.line(found.line0)));
};

/** Where the application brings the package in, when no frame of the application is on the stack that fills it. */
export async function* usersOfPackage(see: OperatorView, { row, holder }: Suspect): Step<readonly Fed[]> {
  if (holder.package === undefined) return [];
  const root = row.path[0];
  const spots = row.path.flatMap(step => (step.kind === 'variable' ? [step.seenBy] : []));
  if (root?.kind === 'root' && root.script) spots.push(root.script);
  for (const spot of spots.filter(one => isUserCode(one.url)).reverse()) {
    const script = yield* sourceOf(see, spot.scriptId);
    const use = script && callOfPackage(script.text, holder);
    if (script && use) return [usedAt(see, script, { ...spot, ...use.at }, use.code)];
  }
  return [];
}

/** What is known of a thing that a package made: its name, and under which field it lies. */
type PackageOwned = Pick<Holder, 'package' | 'below'>;

/** Files of the application that bring the package in, by their first call of it. */
export async function* importersOf(see: OperatorView, holder: PackageOwned, files: Files): Step<readonly Fed[]> {
  if (holder.package === undefined) return [];
  const found: Fed[] = [];
  const ids = files.slice(0, MOST_SCRIPTS).map(one => one.scriptId);
  for (const { scriptId, url } of files.slice(0, MOST_SCRIPTS)) {
    const script = yield* sourceOf(see, scriptId, ids);
    const use = script && callOfPackage(script.text, holder);
    if (script && use) found.push(usedAt(see, script, { scriptId, url, ...use.at }, use.code));
  }
  return found;
}

/**
 * The application's one call that goes by the name of what grows: `container.registerInstance(…)` and a `_registry`. In a
 * minified bundle nothing else ties the two together.
 */
export async function* calledAlike(see: OperatorView, { holder }: Suspect, files: Files): Step<Fed | undefined> {
  const ids = files.slice(0, MOST_SCRIPTS).map(one => one.scriptId);
  const found: Fed[] = [];
  for (const { scriptId, url } of files.slice(0, MOST_SCRIPTS)) {
    const script = isUserCode(url) ? yield* sourceOf(see, scriptId, ids) : undefined;
    for (const { method, within, line0, column0 } of script ? callSites(script.text) : []) {
      const isOwn = within >= 0 && script?.ownerAt(line0, column0) === undefined;
      if (script && isOwn && soundsLike(method, holder.below))
        found.push(usedAt(see, script, { scriptId, url, line: line0, column: column0 }, method));
    }
  }
  return found.length === 1 ? found[0] : undefined;
}

function usedAt(see: OperatorView, script: ScriptText, spot: ScriptPosition, code: string): Fed {
  const around = enclosingFunction(script.text, spot.line, spot.column)?.name;
  const at = { ...spot, ...(around !== undefined && { functionName: around }) };
  return { place: locate(script, at, see.target.cwd), how: 'uses', code };
}

/** The first call of what was imported from the holder's package (one that names the holder's field before others), else the import itself. */
function callOfPackage(
  text: string,
  { package: name, below }: PackageOwned,
): { readonly at: { line: number; column: number }; readonly code: string } | undefined {
  const lines = text.split('\n');
  const imported = lines.findIndex(line => line.includes(`'${name}'`) || line.includes(`"${name}"`));
  if (imported < 0) return undefined;
  const local = /(?:const|let|var|import)\s+(?:\*\s+as\s+)?\{?\s*([\w$]+)/.exec(lines[imported] ?? '')?.[1];
  const calls = local === undefined ? [] : callsOf(lines, imported, local);
  // A statement of the top level runs once: what piles up comes from a function, if any calls it.
  const repeated = calls.filter(({ line, column }) => enclosingFunction(text, line, column) !== undefined);
  const direct = likeliest(repeated, below) ?? likeliest(calls, below);
  const { line, column } = direct ?? { line: imported, column: 0 };
  return { at: { line, column }, code: (lines[line] ?? '').trim().slice(0, 120) };
}

interface Call {
  readonly line: number;
  readonly column: number;
  /** Names between what was imported and what is called. */
  readonly chain: readonly string[];
}

const likeliest = (calls: readonly Call[], below: readonly string[]): Call | undefined =>
  calls.find(({ chain }) => chain.some(part => below.includes(part))) ??
  calls.find(({ chain }) => chain.length === 0) ??
  calls[0];

/** Calls below a line of `local(…)` and `local.a.b(…)`, with the names between. */
function callsOf(lines: readonly string[], below: number, local: string): Call[] {
  const pattern = new RegExp(`(?<![\\w$.])${local.replaceAll('$', '\\$')}((?:\\.[\\w$]+)*)\\s*\\(`);
  return lines.flatMap((text, line) => {
    const match = line > below ? pattern.exec(text) : undefined;
    if (!match) return [];
    return [{ line, column: match.index, chain: (match[1] ?? '').split('.').filter(part => part !== '') }];
  });
}
