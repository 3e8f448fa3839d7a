import { existsSync, readFileSync, statSync } from 'node:fs';
import { displayPath, filePath, isUserCode } from '../../base/script-url.js';
import type { SaidSuspect } from '../../heap/index.js';
import type { CodeLocation } from '../../model/location.js';
import { declarationOf } from '../../source/declarations.js';
import { codeFrame } from '../../source/frame.js';

/** Bundles beyond this are not parsed for one line. */
const MAX_SOURCE_BYTES = 4 * 1024 * 1024;

/**
 * Where a person should look for a suspect: the declaration of the variable that holds it (when the file is here to be
 * read), else the nearest function that uses it, else the function that its objects call.
 */
export function placeOf(suspect: SaidSuspect, cwd: string): CodeLocation | undefined {
  const { variable, module, near, text } = suspect.path;
  if (variable !== undefined && module !== undefined) {
    const declared = declaration(module, variable, near?.line);
    const line = declared?.line ?? near?.line ?? 1;
    return { file: displayPath(module, cwd), line, via: [text], ...(declared?.frame && { frame: declared.frame }) };
  }
  const places = suspect.children.flatMap(({ place, callsPlace }) => [place, callsPlace]);
  const made = places.find(place => place && isUserCode(place.url));
  return made && { file: displayPath(made.url, cwd), line: made.line, column: made.column, via: [text] };
}

function declaration(url: string, variable: string, near?: number): { line: number; frame?: string } | undefined {
  const path = filePath(url);
  if (!existsSync(path) || statSync(path).size > MAX_SOURCE_BYTES) return undefined;
  const text = readFileSync(path, 'utf8');
  const found = declarationIn(text, variable, near);
  if (!found) return undefined;
  const frame = codeFrame(text, found.line0 + 1);
  return { line: found.line0 + 1, ...(frame && { frame }) };
}

/** The file may have changed since, or not be JavaScript at all. */
function declarationIn(text: string, variable: string, near?: number) {
  try {
    return declarationOf(text, variable, near === undefined ? undefined : near - 1);
  } catch {
    return undefined;
  }
}
