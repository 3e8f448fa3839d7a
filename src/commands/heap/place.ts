import { displayPath, isFile, isUserCode, packageOf } from '../../base/script-url.js';
import type { SaidPath, SaidSuspect, ScriptPlace } from '../../heap/index.js';
import type { CodeLocation } from '../../model/location.js';
import { declaration } from './declared.js';
import { handedOver, usedOfPackage } from './handed-over.js';
import { originPlace, type Program } from './origin.js';
import type { ScriptFiles } from './script-files.js';

/** Adds the place; a variable that a bundle holds is told by the file it was written in. */
export function placed<S extends SaidSuspect>(suspect: S, program: Program, cwd: string): S {
  const { files } = program;
  const place = placeOf(suspect, program, cwd);
  if (!place) return suspect;
  const { variable, module, text } = suspect.path;
  const running = variableOf(suspect.path, files);
  if (module === undefined || !running) return { ...suspect, place };
  const held = (url: string) => `\`${variable}\` in ${displayPath(url, cwd)}`;
  const told = text.replace(held(module), () => held(files.original(running).url));
  return { ...suspect, path: { ...suspect.path, text: told }, place };
}

/** The module's variable that the path starts at, in the text that V8 runs. */
function variableOf({ variable, module, near, steps }: SaidPath, files: ScriptFiles): ScriptPlace | undefined {
  if (variable === undefined || module === undefined) return undefined;
  const [, property] = /^\.([\w$]+)$/.exec(steps[0]?.via ?? '') ?? [];
  const named = { variable, ...(property !== undefined && { property }), ...(near && { near: near.line }) };
  return declaration(files, { url: module, ...named }) ?? near ?? { url: module, line: 1, column: 1 };
}

/** The declaration of the field or variable nearest to what is held. */
function nearestOf({ inner, field, suspended, module }: SaidPath, files: ScriptFiles): ScriptPlace | undefined {
  const own = field && declaration(files, { url: field.near.url, variable: field.name, near: field.near.line });
  if (own ?? suspended) return own ?? suspended;
  if (!inner || !isFile(inner.near.url)) return undefined;
  // A variable of a package, behind one of the program: that one is what a person knows.
  if (!isUserCode(inner.near.url) && module !== undefined && isUserCode(module)) return undefined;
  return declaration(files, { url: inner.near.url, variable: inner.variable, near: inner.near.line });
}

/**
 * Where a person should look for a suspect: the call that hands over what Node or a package keeps, else the declaration of
 * the field or variable nearest to it (when the file is here to be read), else that of the module's variable that the path
 * starts at, else the nearest function that uses it, else the function that its objects call.
 */
function placeOf(suspect: SaidSuspect, program: Program, cwd: string): CodeLocation | undefined {
  const { files } = program;
  const via = suspect.path.text;
  const running =
    handedOver(suspect, program) ??
    nearestOf(suspect.path, files) ??
    usedOfPackage(suspect, program) ??
    variableOf(suspect.path, files) ??
    (suspect.origin && originPlace(suspect.origin, program));
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
