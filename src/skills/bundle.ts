import { type CallTree, type Frame, unbundled } from '../cpu/tree.js';
import { byFunction, weigh } from '../cpu/weights.js';
import type { AsyncDump, AsyncFrame } from '../model/evidence/async-dump.js';
import type { OperatorView, Step } from '../model/skill.js';
import type { ScriptText } from '../source/script.js';
import { isFile, isUserCode } from '../source/url.js';
import { sourceOf } from './place.js';
import { textOf } from './waiting-place.js';

/** Scripts of the application that are read for whose functions they carry: a bundle is one, or one and its chunks. */
const MOST_SCRIPTS = 3;

/** A bundle's packages are the application's own file to V8; its source map tells whose each function is. */
export async function* withoutBundles(see: OperatorView, tree: CallTree): Step<CallTree> {
  const ids = busiestScripts(tree);
  const scripts = new Map<string, ScriptText>();
  for (const id of ids) {
    const script = yield* sourceOf(see, id, ids);
    if (script) scripts.set(id, script);
  }
  return unbundled(tree, ({ scriptId, line, column }: Frame) => scripts.get(scriptId)?.ownerAt(line, column));
}

function busiestScripts(tree: CallTree): string[] {
  const times = new Map<string, number>();
  for (const { frame, totalUs } of byFunction(tree, weigh(tree)))
    if (frame.kind === 'user' && isFile(frame.url))
      times.set(frame.scriptId, Math.max(totalUs, times.get(frame.scriptId) ?? 0));
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST_SCRIPTS)
    .map(([id]) => id);
}

const told = new WeakMap<AsyncDump, AsyncDump>();

/**
 * The same dump with frames of packages told apart that a bundle carries in the application's own file; one object for
 * all skills that look at the dump.
 */
export async function* dumpWithoutBundles(see: OperatorView, dump: AsyncDump): Step<AsyncDump> {
  const scripts = yield* scriptsOf(see, dump.frames);
  const known = told.get(dump);
  if (known) return known;
  const frames = dump.frames.map((frame): AsyncFrame => {
    const owner = scripts.get(frame.url)?.ownerAt(frame.line - 1, frame.column - 1);
    return owner === undefined ? frame : { ...frame, package: owner };
  });
  const apart = { ...dump, frames };
  told.set(dump, apart);
  return apart;
}

/** The scripts of the application that most frames lie in. */
async function* scriptsOf(
  see: OperatorView,
  frames: readonly { readonly url: string }[],
): Step<Map<string, ScriptText>> {
  const counts = new Map<string, number>();
  for (const { url } of frames) if (isUserCode(url)) counts.set(url, (counts.get(url) ?? 0) + 1);
  const urls = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_SCRIPTS);
  const scripts = new Map<string, ScriptText>();
  for (const [url] of urls) {
    const script = yield* textOf(see, url);
    if (script) scripts.set(url, script);
  }
  return scripts;
}

/** A frame as readings of stacks have it; `line` and `column` 0-based. */
interface StackFrame {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** The application's own frames of a stack, innermost first; those of packages that a bundle carries are left out. */
export async function* ownFrames<F extends StackFrame>(see: OperatorView, frames: readonly F[]): Step<F[]> {
  const users = frames.filter(({ url }) => isUserCode(url));
  const scripts = yield* scriptsOf(see, users);
  return users.filter(({ url, line, column }) => scripts.get(url)?.ownerAt(line, column) === undefined);
}
