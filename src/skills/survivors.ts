import { type AllocationSite, allocationSites } from '../heap/growth/allocation-sites.js';
import type { HeapSampling } from '../model/evidence/heap-sampling.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callSites } from '../source/calls.js';
import type { ScriptText } from '../source/script.js';
import { functionAround, offsetOf, syntaxOf } from '../source/syntax.js';
import { isFile } from '../source/url.js';
import { locate, place, sourceOf } from './place.js';

/**
 * At 12 kB/s that stay, eight seconds give a dozen samples of them. A quarter of what Chrome DevTools takes: a program
 * that did nothing but allocate 2 GB a second was slowed by a quarter, and real ones allocate a hundredth of that.
 */
export const SAMPLING = { seconds: 8, intervalBytes: 8 * 1024 } as const;
/** One profile serves every suspect of a run. */
export const SAMPLING_STAYS_MS = 120_000;

/** Scripts that are read for whose functions they carry: a bundle is one, or one and its chunks. */
const MOST_SCRIPTS = 3;

/** Who allocates, by the innermost function of the application; packages that a bundle carries are told apart. */
export async function* sitesOf(see: OperatorView, profile: HeapSampling): Step<AllocationSite[]> {
  const plain = allocationSites(profile);
  const ids = [...new Set(plain.filter(({ frame }) => isFile(frame.url)).map(({ frame }) => frame.scriptId))];
  const scripts = new Map<string, ScriptText>();
  for (const id of ids.slice(0, MOST_SCRIPTS)) {
    const script = yield* sourceOf(see, id, ids.slice(0, MOST_SCRIPTS));
    if (script) scripts.set(id, script);
  }
  return allocationSites(profile, ({ scriptId, lineNumber, columnNumber }) =>
    scripts.get(scriptId)?.ownerAt(lineNumber, columnNumber),
  );
}

/** The call that most of a site's bytes come from; where it can't be told, the function. */
export async function* placeOfSite(
  see: OperatorView,
  { frame, callee }: Pick<AllocationSite, 'frame' | 'callee'>,
): Step<CodeLocation> {
  const spot = { ...frame, line: frame.lineNumber, column: frame.columnNumber };
  const script = callee === undefined || !isFile(frame.url) ? undefined : yield* sourceOf(see, frame.scriptId);
  const call = script && callee !== undefined ? callIn(script.text, frame, callee) : undefined;
  if (!script || !call) return yield* place(see, spot);
  const name = yield* place(see, spot);
  const at = locate(script, { ...spot, line: call.line0, column: call.column0 }, see.target.cwd);
  return { ...at, ...(name.function !== undefined && { function: name.function }) };
}

function callIn(
  text: string,
  { lineNumber: line0, columnNumber: column0 }: AllocationSite['frame'],
  callee: string,
): { readonly line0: number; readonly column0: number } | undefined {
  const syntax = syntaxOf(text);
  const around = functionAround(syntax, offsetOf(syntax, { line0, column0 }));
  if (around < 0) return undefined;
  return callSites(text).find(({ method, within }) => within === around && method === callee);
}
