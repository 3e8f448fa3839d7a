import { displayPath, isFile, isUserCode, packageOf } from '../../base/script-url.js';
import type { SaidPath, SaidSuspect, ScriptPlace } from '../../heap/index.js';
import type { CodeLocation } from '../../model/location.js';
import { declarationOf } from '../../source/declarations.js';
import type { ScriptFiles } from './script-files.js';

/** Adds the place; a variable that a bundle holds is told by the file it was written in. */
export function placed<S extends SaidSuspect>(suspect: S, files: ScriptFiles, cwd: string): S {
  const place = placeOf(suspect, files, cwd);
  if (!place) return suspect;
  const { variable, module, text } = suspect.path;
  const running = variableOf(suspect.path, files);
  if (module === undefined || !running) return { ...suspect, place };
  const held = (url: string) => `\`${variable}\` in ${displayPath(url, cwd)}`;
  const told = text.replace(held(module), () => held(files.original(running).url));
  return { ...suspect, path: { ...suspect.path, text: told }, place };
}

/** The module's variable that the path starts at, in the text that V8 runs. */
function variableOf({ variable, module, near }: SaidPath, files: ScriptFiles): ScriptPlace | undefined {
  if (variable === undefined || module === undefined) return undefined;
  return declaration(files, module, variable, near?.line) ?? near ?? { url: module, line: 1, column: 1 };
}

/** The declaration of the field or variable nearest to what is held. */
function nearestOf({ inner, field }: SaidPath, files: ScriptFiles): ScriptPlace | undefined {
  const own = field && declaration(files, field.near.url, field.name, field.near.line);
  if (own || !inner || !isFile(inner.near.url)) return own;
  return declaration(files, inner.near.url, inner.variable, inner.near.line);
}

/**
 * Where a person should look for a suspect: the declaration of the field or variable nearest to it (when the file is here
 * to be read), else that of the module's variable that the path starts at, else the nearest function that uses it, else the function that its objects call.
 */
function placeOf(suspect: SaidSuspect, files: ScriptFiles, cwd: string): CodeLocation | undefined {
  const via = suspect.path.text;
  const running = nearestOf(suspect.path, files) ?? variableOf(suspect.path, files);
  if (running) return location(files, files.original(running), running, { cwd, via });
  const places = suspect.children.flatMap(({ place, callsPlace }) => [place, callsPlace]);
  const made = places.find(place => place && isUserCode(place.url));
  return made && location(files, made, made, { cwd, via });
}

function location(
  files: ScriptFiles,
  place: ScriptPlace,
  running: ScriptPlace,
  { cwd, via }: { readonly cwd: string; readonly via: string },
): CodeLocation {
  const frame = files.frame(place, running);
  const packageName = packageOf(place.url);
  return {
    ...(packageName !== undefined && { package: packageName }),
    file: displayPath(place.url, cwd),
    line: place.line,
    column: place.column,
    via: [via],
    ...(frame !== undefined && { frame }),
  };
}

/** In the text that V8 runs, because a variable has its name from there. */
function declaration(files: ScriptFiles, url: string, variable: string, near?: number): ScriptPlace | undefined {
  const text = files.script(url)?.text;
  const found = text === undefined ? undefined : declarationIn(text, variable, near);
  return found && { url, line: found.line0 + 1, column: found.column0 + 1 };
}

/** The file may have changed since, or not be JavaScript at all. */
function declarationIn(text: string, variable: string, near?: number) {
  try {
    return declarationOf(text, variable, near === undefined ? undefined : near - 1);
  } catch {
    return undefined;
  }
}
