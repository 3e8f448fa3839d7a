import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { isInLoop } from '../source/loops.js';
import { ScriptText } from '../source/script.js';
import { displayPath, isFile } from '../source/url.js';
import type { Frame } from '../waiting/waits.js';
import { locate } from './place.js';

/** A loaded script's text doesn't change. */
const SOURCES_STAY_MS = 3_600_000;
const MOST_VIA = 5;

/** A stack's frame as a person would say it. Stacks know urls only, so the script is found by its url. */
export async function* placeOfFrame(
  see: OperatorView,
  frame: Frame,
  callers: readonly Frame[] = [],
): Step<CodeLocation> {
  const script = yield* textOf(see, frame.url);
  const via = callers
    .slice(0, MOST_VIA)
    .map(caller => sayFrame(caller, see.target.cwd))
    .reverse();
  const spot = {
    scriptId: '',
    url: frame.url,
    line: frame.line - 1,
    column: frame.column - 1,
    functionName: bareName(frame.function),
  };
  return locate(script, spot, see.target.cwd, via);
}

export async function* textOf(see: OperatorView, url: string): Step<ScriptText | undefined> {
  if (!isFile(url)) return undefined;
  const evidence = yield* see.ask('source', { scriptId: '', url }, SOURCES_STAY_MS);
  return isUsable(evidence) ? new ScriptText(evidence.data) : undefined;
}

const MOST_LOOPS = 4;

/** The innermost of these frames whose place stands in a loop. */
export async function* loopFrame(see: OperatorView, user: readonly Frame[]): Step<Frame | undefined> {
  for (const frame of user.slice(0, MOST_LOOPS)) {
    const script = yield* textOf(see, frame.url);
    if (script && isInLoop(script.text, frame.line - 1, frame.column - 1)) return frame;
  }
  return undefined;
}

/** `reserve (lib/stock.js:12)`. */
export function sayFrame(frame: Frame, cwd: string): string {
  return `${bareName(frame.function) || '(anonymous)'} (${displayPath(frame.url, cwd)}:${frame.line})`;
}

/** V8 says `async Object.load` or `new Pool`; people say `load` and `Pool`. */
const bareName = (name: string): string => name.replace(/^(?:async |new )+/, '').replace(/^(?:Object|Module)\./, '');
