import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callAt, callSites } from '../source/calls.js';
import { type Acquisition, acquisitions } from '../source/release.js';
import type { Finding } from '../waiting/findings.js';
import type { Frame } from '../waiting/waits.js';
import { locate } from './place.js';
import { textOf } from './waiting-place.js';

/** A wrapper's wrapper's wrapper: further up, nothing is acquired any more. */
const MOST_CALLERS = 3;

/** The place that acquires what the others wait for and has a way out without giving it back; undefined when none is seen. */
export async function* leakSite(see: OperatorView, finding: Finding): Step<CodeLocation | undefined> {
  const waiting = [finding.place, ...finding.others].filter((frame): frame is Frame => frame?.kind === 'user');
  const callers = finding.user.slice(1, MOST_CALLERS);
  const direct = yield* worstOf(see, waiting);
  if (direct !== 'handed on') return direct;
  for (const caller of callers) {
    const above = yield* worstOf(see, [caller]);
    if (above !== 'handed on') return above;
  }
  return undefined;
}

/** Looks at every place in the frames' files that makes the same call. `handed on`: none of them keeps what it acquires. */
async function* worstOf(see: OperatorView, frames: readonly Frame[]): Step<CodeLocation | 'handed on' | undefined> {
  let worst: { acquisition: Acquisition; location: CodeLocation } | undefined;
  let kept = 0;
  for (const url of new Set(frames.map(frame => frame.url))) {
    const script = yield* textOf(see, url);
    if (!script) continue;
    const here = frames.filter(frame => frame.url === url);
    const callees = new Set(here.flatMap(frame => callAt(script.text, frame.line - 1, frame.column - 1)?.callee ?? []));
    const sites = callSites(script.text).filter(site => callees.has(site.callee));
    const found = acquisitions(script.text, sites);
    kept += found.length;
    for (const acquisition of found) {
      if (acquisition.leaks === 'no' || (worst && rank(worst.acquisition) >= rank(acquisition))) continue;
      const spot = { scriptId: '', url, line: acquisition.line0, column: acquisition.column0 };
      worst = { acquisition, location: locate(script, spot, see.target.cwd) };
    }
  }
  return kept === 0 ? 'handed on' : worst?.location;
}

const RANKS = { no: 0, 'on-throw': 1, 'on-return': 2, always: 3 } as const;
const rank = (acquisition: Acquisition): number => RANKS[acquisition.leaks];
