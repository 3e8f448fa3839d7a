import { dirname, resolve } from 'node:path';
import { filePath } from '../../base/script-url.js';
import type { ScriptPlace } from '../../heap/index.js';
import { declarationOf } from '../../source/declarations.js';
import { exportOf, importedAs } from '../../source/imported.js';
import type { ScriptFiles } from './script-files.js';

/** A module's variable, and the property that is taken of it where it may be a module itself (`plan_1.plan`). */
export interface Named {
  readonly url: string;
  readonly variable: string;
  readonly property?: string;
  readonly near?: number;
}

/** Modules that pass a name on to each other. */
const MOST_HOPS = 5;
/** How an import may leave out the end of a file's name. */
const ENDINGS = ['', '.js', '.cjs', '.mjs', '.ts', '/index.js', '/index.cjs', '/index.mjs', '/index.ts'];

/**
 * Where a variable is declared, in the text that V8 runs (it has its name from there): in the module that it is imported
 * from, where that is a file of the program.
 */
export function declaration(files: ScriptFiles, named: Named): ScriptPlace | undefined {
  const here = declaredHere(files, named);
  return imported(files, named, MOST_HOPS) ?? here;
}

function declaredHere(files: ScriptFiles, { url, variable, near }: Named): ScriptPlace | undefined {
  const text = files.script(url)?.text;
  return text === undefined
    ? undefined
    : placeIn(
        url,
        guarded(() => declarationOf(text, variable, near && near - 1)),
      );
}

function imported(files: ScriptFiles, { url, variable, property }: Named, hops: number): ScriptPlace | undefined {
  const text = files.script(url)?.text;
  const from = text === undefined ? undefined : guarded(() => importedAs(text, variable));
  const file = from && fileOf(files, url, from.from);
  if (!from || file === undefined || hops === 0) return undefined;
  const name = from.name ?? property;
  const exported = files.script(file)?.text;
  if (exported === undefined) return undefined;
  const next = name === undefined ? undefined : { url: file, variable: name };
  const declared = next && (imported(files, next, hops - 1) ?? declaredHere(files, next));
  return (
    declared ??
    placeIn(
      file,
      guarded(() => exportOf(exported)),
    )
  );
}

/** Packages are not followed: the line that asks for one is the program's. */
function fileOf(files: ScriptFiles, url: string, from: string): string | undefined {
  if (!/^\.{1,2}\//.test(from)) return undefined;
  const path = resolve(dirname(filePath(url)), from);
  return ENDINGS.map(ending => path + ending).find(one => files.script(one) !== undefined);
}

const placeIn = (url: string, found: { line0: number; column0: number } | undefined): ScriptPlace | undefined =>
  found && { url, line: found.line0 + 1, column: found.column0 + 1 };

/** The file may have changed since, or not be JavaScript at all. */
function guarded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
