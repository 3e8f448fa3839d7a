import { fileURLToPath } from 'node:url';
import { requestRate } from '../../src/commands/evidence/request-rate.js';
import { viewOf } from '../../src/commands/evidence/view.js';
import { evidenceOf } from '../../src/commands/recorded-evidence.js';
import { withSampledVitals } from '../../src/commands/recorded-vitals.js';
import { StatesOverTime } from '../../src/commands/replay.js';
import { readRun } from '../../src/stores/recorded-run.js';
import type { World } from '../../src/tui/world.js';

export const RECORDED = fileURLToPath(new URL('./golden/run.ndjson', import.meta.url));

const recorded = readRun(RECORDED, '/nowhere');
export const evidence = evidenceOf(recorded);
export const events = withSampledVitals(recorded.events, evidence);
export const states = new StatesOverTime(events);

/** The world of the recorded run at a moment, as a live screen would have had it. */
export function worldAt(at: number, extras: Partial<World> = {}): World {
  return {
    run: states.at(at),
    now: at,
    view: id => {
      const found = evidence.get(id);
      return found && viewOf(found);
    },
    requestRate: id => requestRate(evidence.get(id)),
    ...extras,
  };
}
