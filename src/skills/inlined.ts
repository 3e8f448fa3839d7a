import { type Frame, frameAt } from '../cpu/tree.js';
import type { OperatorView, Step } from '../model/skill.js';
import { enclosingFunction } from '../source/names.js';
import type { ScriptText } from '../source/script.js';
import type { Cause } from './cause.js';
import { sourceOf } from './place.js';
import type { Study } from './study.js';

/** A function that V8 inlined into the blamed one. */
export interface Inlined {
  readonly frame: Frame;
  readonly script: ScriptText;
}

/** Callees that are read for one question. */
const MOST_READ = 3;

/**
 * The function of another file that the blamed one's busiest line stands in: V8 lays the time of what it inlines to the
 * outer function but keeps the line, and some calls of the same callee were seen on their own.
 */
export async function* inlinedInto(see: OperatorView, { tree }: Study, cause: Cause): Step<Inlined | undefined> {
  const { frame, frameIndex } = cause.blame;
  const line0 = (cause.owned.lines[0]?.line ?? 0) - 1;
  const text = cause.scripts.get(frame.scriptId)?.text;
  if (line0 < 0 || text === undefined || covers(text, frame, line0)) return undefined;
  const callees = new Set<Frame>();
  for (let node = 1; node < tree.nodeCount; node++) {
    const callee = frameAt(tree, node);
    const isDirect = tree.frameOf[tree.parent[node] ?? -1] === frameIndex;
    if (isDirect && callee.kind === 'user' && callee.scriptId !== frame.scriptId) callees.add(callee);
  }
  for (const callee of [...callees].slice(0, MOST_READ)) {
    const script = yield* sourceOf(see, callee.scriptId);
    if (script && covers(script.text, callee, line0)) return { frame: callee, script };
  }
  return undefined;
}

function covers(text: string, frame: Frame, line0: number): boolean {
  const own = enclosingFunction(text, frame.line, frame.column);
  return own !== undefined && line0 >= own.line0 && line0 <= own.endLine0;
}
