import { displayPath, isFile, isUserCode, packageOf } from '../../base/script-url.js';
import type { SaidSuspect, ScriptPlace } from '../../heap/index.js';
import type { CodeLocation } from '../../model/location.js';
import { declarationOf } from '../../source/declarations.js';
import type { ScriptFiles } from './script-files.js';

/** Adds the place; a variable that a bundle holds is told by the file it was written in. */
export function placed<S extends SaidSuspect>(suspect: S, files: ScriptFiles, cwd: string): S {
  const place = placeOf(suspect, files, cwd);
  if (!place) return suspect;
  const { variable, module, inner, text } = suspect.path;
  const held = module === undefined || inner ? '' : `\`${variable}\` in ${displayPath(module, cwd)}`;
  const told = held === '' ? text : text.replace(held, () => `\`${variable}\` in ${place.file}`);
  return { ...suspect, path: { ...suspect.path, text: told }, place };
}

/**
 * Where a person should look for a suspect: the declaration of the variable nearest to it (when the file is here to be
 * read), else that of the module's variable that the path starts at, else the nearest function that uses it, else the function that its objects call.
 */
function placeOf(suspect: SaidSuspect, files: ScriptFiles, cwd: string): CodeLocation | undefined {
  const { variable, module, near, inner, text } = suspect.path;
  const nearest =
    inner && isFile(inner.near.url) ? declaration(files, inner.near.url, inner.variable, inner.near.line) : undefined;
  if (nearest) return location(files, files.original(nearest), nearest, { cwd, via: text });
  if (variable !== undefined && module !== undefined) {
    const declared = declaration(files, module, variable, near?.line);
    const running = declared ?? near ?? { url: module, line: 1, column: 1 };
    return location(files, files.original(running), running, { cwd, via: text });
  }
  const places = suspect.children.flatMap(({ place, callsPlace }) => [place, callsPlace]);
  const made = places.find(place => place && isUserCode(place.url));
  return made && location(files, made, made, { cwd, via: text });
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
