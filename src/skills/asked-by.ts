import type { Holder } from '../model/evidence/holders.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import type { Finding } from '../waiting/finding.js';
import { runningMost } from '../waiting/running.js';
import { handlerPlace } from './answered-route.js';
import { runningSite } from './leak-site.js';
import type { WaitingLook } from './waiting-look.js';

/**
 * Who asks for what is slow when only a package's code awaits it, as where a handler returns a query and the framework
 * sends it off: whoever writes the statement that the pool's connections are at, else the route's handler.
 */
export async function* askedBy(see: OperatorView, finding: Finding, seen: WaitingLook): Step<CodeLocation | undefined> {
  if (finding.faultClass !== 'downstream.slow' || finding.place?.kind !== 'package' || finding.user.length > 0)
    return undefined;
  const statement = seen.pools.flatMap(statementOf)[0];
  const site = statement === undefined ? undefined : yield* runningSite(see, statement, seen.scripts);
  if (site) return site.location;
  const [route, ...others] = finding.routes;
  return route !== undefined && others.length === 0 ? yield* handlerPlace(see, route.replace(/^\S+ /, '')) : undefined;
}

const statementOf = (pool: Holder): string[] => {
  const running = runningMost(pool);
  return running ? [running.statement] : [];
};
