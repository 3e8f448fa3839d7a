import type { Mechanism } from '../cpu/mechanism.js';
import type { Frame } from '../cpu/tree.js';
import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { backtrackingPatterns } from '../source/backtracking.js';
import { callsOfPackage } from '../source/bindings.js';
import { enclosingFunction } from '../source/names.js';
import { ScriptText } from '../source/script.js';
import type { TextPosition } from '../source/syntax.js';
import { isUserCode } from '../source/url.js';
import { locate } from './place.js';

const SCRIPTS_STAY_MS = 60_000;

/**
 * The call of the application behind a package's work that has none of its frames on the stack, as after an await:
 * of the innermost package on the way that one file alone of the application calls.
 */
export async function* callerOfPackage(
  see: OperatorView,
  path: readonly Frame[],
  mechanism: Mechanism,
): Step<CodeLocation | undefined> {
  const names = [...new Set(path.flatMap(frame => frame.package ?? []))].reverse();
  const reading = yield* see.ask('scripts', {}, SCRIPTS_STAY_MS);
  const scripts = isUsable(reading) ? reading.data.scripts.map(source => new ScriptText(source)) : [];
  const given = mechanism === 'regexp' ? patternGiven(see, scripts) : undefined;
  if (given) return { ...given, ...(names[0] === undefined ? {} : { package: names[0] }) };
  for (const name of names) {
    const users = scripts.flatMap(script => {
      const calls = callsOfPackage(script.text, name);
      const call = calls.find(({ method }) => path.some(frame => frame.functionName === method)) ?? calls[0];
      return call && isUserCode(script.url) ? [{ script, call }] : [];
    });
    const [user] = users;
    if (!user || users.length > 1) continue;
    const { script, call } = user;
    return { ...placeOf(see, script, call), package: name };
  }
  return undefined;
}

/** Where the application writes the one pattern that backtracks: a package matches it for everybody who calls. */
function patternGiven(see: OperatorView, scripts: readonly ScriptText[]): CodeLocation | undefined {
  const own = scripts.filter(({ url }) => isUserCode(url));
  const [found, ...others] = own.flatMap(script => backtrackingPatterns(script.text).map(at => ({ script, at })));
  return found && others.length === 0 ? placeOf(see, found.script, found.at) : undefined;
}

function placeOf(see: OperatorView, script: ScriptText, { line0, column0 }: TextPosition): CodeLocation {
  const at = { scriptId: '', url: script.url, line: line0, column: column0 };
  const around = enclosingFunction(script.text, line0, column0)?.name;
  return locate(script, { ...at, ...(around && { functionName: around }) }, see.target.cwd);
}
