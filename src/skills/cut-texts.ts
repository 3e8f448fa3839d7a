import type { Suspect } from '../heap/growth/suspects.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callSites } from '../source/calls.js';
import { type Feeder, feedersOf } from '../source/feeders.js';
import { limitGivenTo } from '../source/made-by.js';
import { enclosingFunction } from '../source/names.js';
import type { ScriptText } from '../source/script.js';
import { type Files, type Home, MOST_SCRIPTS } from './growth-home.js';
import { sourceOf } from './place.js';

/** Pieces of thirteen characters and more refer to the text they were cut from. */
const CUTTING = /\.(?:slice|substring|substr|split|trim\w*|match\w*|exec)\(/;

/** A line that cuts texts in the function that feeds the holder, or in one that calls this function. */
export async function* cutFor(
  see: OperatorView,
  { script, name, below }: Home,
  { row, fault }: Suspect,
  files: Files,
): Step<string | undefined> {
  const [feeder] = fault === 'memory.leak.listener' ? [] : feedersOf(script.text, name, below);
  if (!feeder) return undefined;
  const here = cutBefore(script, feeder);
  if (here !== undefined || (row.entry.type !== 'string' && row.entry.key === undefined)) return here;
  const method = feeder.function?.split('.').at(-1);
  if (method === undefined || !/^[\w$#]{3,}$/.test(method)) return undefined;
  const ids = files.slice(0, MOST_SCRIPTS).map(one => one.scriptId);
  for (const id of ids) {
    const caller = yield* sourceOf(see, id, ids);
    const call = caller && callSites(caller.text).find(site => site.method === method);
    const cut = caller && call ? cutBefore(caller, call) : undefined;
    if (cut !== undefined) return cut;
  }
  return undefined;
}

/** The same for a package's collection, by the variable of the application that it is used through; and its bound. */
export async function* cutThrough(
  see: OperatorView,
  suspect: Suspect,
  files: Files,
): Step<{ readonly cut: string; readonly limit?: number } | undefined> {
  const { through } = suspect.holder;
  const script = through && (yield* sourceOf(see, through.seenBy.scriptId));
  if (!through || !script) return undefined;
  const cut = yield* cutFor(see, { script, spot: through.seenBy, name: through.name, below: [] }, suspect, files);
  const limit = limitGivenTo(script.text, through.name);
  return cut === undefined ? undefined : { cut, ...(limit !== undefined && { limit }) };
}

/** From the beginning of the function around to the place itself. */
function cutBefore(script: ScriptText, { line0, column0 }: Pick<Feeder, 'line0' | 'column0'>): string | undefined {
  const around = enclosingFunction(script.text, line0, column0);
  if (!around) return undefined;
  const lines = Array.from({ length: line0 - around.line0 + 1 }, (_, i) => script.line(around.line0 + i));
  return lines
    .find(line => CUTTING.test(line))
    ?.trim()
    .slice(0, 120);
}
