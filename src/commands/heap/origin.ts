import { filePath, isUserCode } from '../../base/script-url.js';
import type { SaidOrigin, ScriptPlace } from '../../heap/index.js';
import { timingsOf } from '../../source/feeders.js';
import { literalsWith } from '../../source/literals.js';
import { loadingsOf } from '../../source/loading.js';
import type { TextPosition } from '../../source/syntax.js';
import type { ScriptFiles } from './script-files.js';

/** The program's scripts, for what only their text can tell. */
export interface Program {
  readonly files: ScriptFiles;
  readonly urls: () => readonly string[];
}

/** More of a program's files are not read for one line. */
const MOST_SCRIPTS = 300;

/**
 * Who fills a holder that no variable leads to: the line that loads modules again, that writes the field or its entries,
 * else the last function of the program on the way.
 */
export function originPlace({ loaded, field, entries, timings, called }: SaidOrigin, program: Program) {
  return (
    (loaded && loadingPlace(loaded, program)) ??
    (field && writtenOnce(field.beside, program, field.name)) ??
    (entries && writtenOnce(entries, program)) ??
    (timings && timingPlace(program)) ??
    (called && isUserCode(called.url) ? called : undefined)
  );
}

function loadingPlace({ url, by }: NonNullable<SaidOrigin['loaded']>, program: Program): ScriptPlace {
  const among = by === undefined ? readable(program) : [by];
  const found = among.flatMap(script => {
    const [first] = inText(program, script, text => loadingsOf(text, url));
    return first ? [{ likeness: first.likeness, place: placeIn(script, first) }] : [];
  });
  const [best] = found.sort((a, b) => b.likeness - a.likeness);
  return best?.place ?? { url: by ?? filePath(url).replace(/\?.*$/, ''), line: 1, column: 1 };
}

function timingPlace(program: Program): ScriptPlace | undefined {
  const [first] = readable(program).flatMap(script =>
    inText(program, script, timingsOf).map(at => placeIn(script, at)),
  );
  return first;
}

/** Where an object with these names is written, if that is one place. */
function writtenOnce(names: readonly string[], program: Program, field?: string): ScriptPlace | undefined {
  const found = readable(program).flatMap(script =>
    inText(program, script, text => literalsWith(text, names, field)).map(at => placeIn(script, at)),
  );
  return found.length === 1 ? found[0] : undefined;
}

export const readable = ({ urls }: Program): readonly string[] => urls().slice(0, MOST_SCRIPTS);

/** A file may have changed since, or not be JavaScript at all. */
export function inText<T>({ files }: Program, url: string, read: (text: string) => T[]): T[] {
  const text = files.script(url)?.text;
  try {
    return text === undefined ? [] : read(text);
  } catch {
    return [];
  }
}

export const placeIn = (url: string, { line0, column0 }: TextPosition): ScriptPlace => ({
  url,
  line: line0 + 1,
  column: column0 + 1,
});
