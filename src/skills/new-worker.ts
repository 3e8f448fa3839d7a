import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callSites } from '../source/calls.js';
import { ScriptText } from '../source/script.js';
import { locate } from './place.js';

/** Texts of loaded scripts don't change. */
const TEXTS_STAY_MS = 3_600_000;

/** None was started while the hook listened; a program of which one line starts threads needs no witness. */
export async function* onlyNewWorker(see: OperatorView): Step<CodeLocation | undefined> {
  const scripts = yield* see.ask('scripts', {}, TEXTS_STAY_MS);
  if (!isUsable(scripts)) return undefined;
  const sites = scripts.data.scripts.flatMap(source =>
    callSites(source.text)
      .filter(({ kind, method }) => kind === 'new' && method === 'Worker')
      .map(site => ({ source, site })),
  );
  const [only] = sites;
  if (!only || sites.length > 1) return undefined;
  const { line0, column0 } = only.site;
  const spot = { scriptId: '', url: only.source.url, line: line0, column: column0 };
  return locate(new ScriptText(only.source), spot, see.target.cwd);
}
