import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation, ScriptPosition } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type OriginalPlace, ScriptText } from '../source/script.js';
import { displayPath, isFile, packageOf } from '../source/url.js';

/** A position with the name V8 gives the function, empty for anonymous ones. */
export interface Spot extends ScriptPosition {
  readonly functionName?: string;
}

/** The text of a script with its source map (`also`: those asked for next); undefined for Node's own code and when it can't be read. */
export async function* sourceOf(
  see: OperatorView,
  scriptId: string,
  also?: readonly string[],
): Step<ScriptText | undefined> {
  if (scriptId === '' || scriptId === '0') return undefined;
  const evidence = yield* see.ask('source', { scriptId, ...(also ? { also } : {}) }, SOURCES_STAY_MS);
  return isUsable(evidence) ? new ScriptText(evidence.data) : undefined;
}

/** A loaded script's text doesn't change under its id. */
const SOURCES_STAY_MS = 3_600_000;

/** V8's position as a person would say it: source-mapped, 1-based, named, with the lines around it. */
export async function* place(
  see: OperatorView,
  spot: Spot,
  more: { readonly via?: readonly string[] } = {},
): Step<CodeLocation> {
  const script = isFile(spot.url) ? yield* sourceOf(see, spot.scriptId) : undefined;
  return locate(script, spot, see.target.cwd, more.via);
}

/** The same with a text already at hand; without one the position stays V8's. */
export function locate(script: ScriptText | undefined, spot: Spot, cwd: string, via?: readonly string[]): CodeLocation {
  const where = script?.original(spot.line, spot.column) ?? unmapped(spot);
  const frame = script?.frameAround(where);
  const name = script?.functionName(spot.line, spot.column, spot.functionName) ?? spot.functionName;
  const packageName = packageOf(where.file);
  return {
    ...(packageName === undefined ? {} : { package: packageName }),
    ...(name ? { function: name } : {}),
    file: displayPath(where.file, cwd),
    line: where.line,
    column: where.column,
    ...(via?.length ? { via } : {}),
    ...(frame === undefined ? {} : { frame }),
  };
}

function unmapped(spot: Spot): OriginalPlace {
  return { file: spot.url || '(evaluated code)', line: spot.line + 1, column: spot.column + 1, mapped: false };
}

/** `renderInvoice` (src/invoice.js:42). */
export function nameOf(place: CodeLocation): string {
  const where = `${place.file}:${place.line}`;
  return place.function ? `\`${place.function}\` (${where})` : where;
}
