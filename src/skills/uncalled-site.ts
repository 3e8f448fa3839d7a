import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { boundNames, callsOfPackage } from '../source/bindings.js';
import { enclosingFunction } from '../source/names.js';
import { ScriptText } from '../source/script.js';
import type { TextPosition } from '../source/syntax.js';
import { uncalledCallbacks } from '../source/uncalled.js';
import { isUserCode } from '../source/url.js';
import type { Finding } from '../waiting/finding.js';
import { locate } from './place.js';

const SCRIPTS_STAY_MS = 60_000;

/** A function of the application that leaves its callback uncalled. */
export interface UncalledSite {
  readonly location: CodeLocation;
  readonly callback: string;
}

/**
 * Requests wait, and nothing of the application's waits with them: whoever calls it back by a callback waits for that.
 * The one function that has a way without it; of several the one in a file that uses the package which waits.
 */
export async function* uncalledSite(see: OperatorView, finding: Finding): Step<UncalledSite | undefined> {
  if (finding.faultClass !== 'waiting.unsettled' || !isCalledBack(finding)) return undefined;
  const found = (yield* ownScripts(see)).flatMap(script => uncalledCallbacks(script.text).map(at => ({ script, at })));
  const name = finding.package;
  const near = name === undefined ? [] : found.filter(({ script }) => boundNames(script.text, name).length > 0);
  const [one, ...others] = found.length > 1 ? near : found;
  if (!one || others.length > 0) return undefined;
  return { location: placeIn(see, one.script, one.at, one.at.owner), callback: one.at.callback };
}

/** An answer that stops halfway waits for a step of its stream, whoever awaits the whole. */
function isCalledBack({ maker, place, replies, flow }: Finding): boolean {
  return Boolean(flow?.dry) || (maker?.kind !== 'user' && (place?.kind !== 'user' || replies === true));
}

/** Where nothing but packages was seen waiting: the application's call of the innermost that one file alone uses. */
export async function* callOfPackages(see: OperatorView, packages: readonly string[]): Step<CodeLocation | undefined> {
  const scripts = packages.length > 0 ? yield* ownScripts(see) : [];
  for (const name of packages) {
    const using = scripts.flatMap(script => {
      const [call] = callsOfPackage(script.text, name);
      return call ? [{ script, call }] : [];
    });
    const [one] = using;
    if (one && using.length === 1) return { ...placeIn(see, one.script, one.call), package: name };
  }
  return undefined;
}

async function* ownScripts(see: OperatorView): Step<ScriptText[]> {
  const reading = yield* see.ask('scripts', {}, SCRIPTS_STAY_MS);
  const sources = isUsable(reading) ? reading.data.scripts : [];
  return sources.filter(({ url }) => isUserCode(url)).map(source => new ScriptText(source));
}

function placeIn(see: OperatorView, script: ScriptText, { line0, column0 }: TextPosition, name?: string): CodeLocation {
  const spot = { scriptId: '', url: script.url, line: line0, column: column0 };
  const around = name || enclosingFunction(script.text, line0, column0)?.name;
  return locate(script, { ...spot, ...(around && { functionName: around }) }, see.target.cwd);
}
