import { boundsOf } from '../../heap/growth/bounds.js';
import { aliasesOf } from '../../source/aliases.js';
import { type Handing, handingsOf, parameterAt } from '../../source/handing.js';
import { declaration } from './declared.js';
import type { ScriptFiles } from './script-files.js';

/**
 * The line (0-based) where the collection called `name`, or each of its own lists (`isInside`), is given to a function of
 * the program that takes entries out where there are too many.
 */
export function trimmedAt(
  files: ScriptFiles,
  { url, name }: { readonly url: string; readonly name: string },
  isInside: boolean,
): number | undefined {
  const text = files.script(url)?.text;
  if (text === undefined) return undefined;
  const local = aliasesOf(text, name).filter(alias => alias.isElement === isInside);
  const handings = local.flatMap(alias => handingsOf(text, alias.name, alias.from, alias.to));
  const all = isInside ? handings : [...handingsOf(text, name), ...handings];
  return all.find(handing => isTrimming(files, url, handing))?.line0;
}

function isTrimming(files: ScriptFiles, url: string, { callee, argument }: Handing): boolean {
  const at = declaration(files, { url, variable: callee });
  const text = at && files.script(at.url)?.text;
  const parameter = text && parameterAt(text, { line0: at.line - 1, column0: at.column - 1 }, argument);
  if (!parameter) return false;
  const { sizeCheck, removal } = boundsOf(parameter.text, parameter.name);
  return sizeCheck !== undefined && removal !== undefined;
}
