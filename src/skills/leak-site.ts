import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callAt, callSites } from '../source/calls.js';
import { type Acquisition, acquisitions } from '../source/release.js';
import type { Finding } from '../waiting/findings.js';
import type { Frame } from '../waiting/waits.js';
import { locate } from './place.js';
import { textOf } from './waiting-place.js';

/** The place that acquires what the others wait for and has a way out without giving it back; undefined when none is seen. */
export async function* leakSite(see: OperatorView, finding: Finding): Step<CodeLocation | undefined> {
  const frames = [finding.place, ...finding.others, ...finding.user].filter(
    (frame): frame is Frame => frame?.kind === 'user',
  );
  const files = [...new Set(frames.map(frame => frame.url))].slice(0, 6);
  let worst: { acquisition: Acquisition; location: CodeLocation } | undefined;
  for (const url of files) {
    const script = yield* textOf(see, url);
    if (!script) continue;
    const methods = new Set(
      frames
        .filter(frame => frame.url === url)
        .flatMap(frame => callAt(script.text, frame.line - 1, frame.column - 1)?.callee ?? []),
    );
    const sites = callSites(script.text).filter(site => methods.has(site.callee));
    for (const acquisition of acquisitions(script.text, sites)) {
      if (acquisition.leaks === 'no' || (worst && rank(worst.acquisition) >= rank(acquisition))) continue;
      const spot = { scriptId: '', url, line: acquisition.line0, column: acquisition.column0 };
      worst = { acquisition, location: locate(script, spot, see.target.cwd) };
    }
  }
  return worst?.location;
}

const RANKS = { no: 0, 'on-throw': 1, 'on-return': 2, always: 3 } as const;
const rank = (acquisition: Acquisition): number => RANKS[acquisition.leaks];
