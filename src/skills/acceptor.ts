import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callSites } from '../source/calls.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import type { Suspect } from './handles-growth.js';
import { locate, sourceOf } from './place.js';

/** Accepted connections are the business of who listens: the one server that the application makes, or the one that lets them be half open. */
export async function* acceptorOf(see: OperatorView, { kind, key }: Suspect): Step<CodeLocation | undefined> {
  if (kind !== 'socket' || !key.startsWith('in ')) return undefined;
  const growth = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  const files = isUsable(growth) ? (growth.data.applicationScripts ?? []) : [];
  const ids = files.slice(0, MOST_FILES).map(one => one.scriptId);
  const found: { readonly place: CodeLocation; readonly isHalfOpen: boolean }[] = [];
  for (const { scriptId, url } of files.slice(0, MOST_FILES)) {
    const script = yield* sourceOf(see, scriptId, ids);
    for (const { line0, column0, callee } of script ? callSites(script.text) : []) {
      if (!script || !LISTENING.test(callee) || script.ownerAt(line0, column0) !== undefined) continue;
      const place = locate(script, { scriptId, url, line: line0, column: column0 }, see.target.cwd);
      found.push({ place, isHalfOpen: script.line(line0).includes('allowHalfOpen') });
    }
  }
  const halfOpen = found.filter(one => one.isHalfOpen);
  const [only, ...others] = halfOpen.length > 0 ? halfOpen : found;
  return others.length === 0 ? only?.place : undefined;
}

/** Files of the application that are looked through for who listens. */
const MOST_FILES = 30;
const LISTENING = /^(?:(?:net|tls|https?|http2)\.)?(?:createServer|createSecureServer|Server)$/;
