import type { Redactor } from '../../base/redact.js';
import type { Session } from '../../inspector/session.js';
import type { Report } from '../../model/report.js';
import { finish, lookInto } from '../../run.js';
import { quietRun } from '../quiet-run.js';

export interface Looked {
  readonly report: Report;
  readonly path: string;
}

/** An investigation over the session that the watch holds already: kept like any other run, the session stays open. */
export async function lookWithin(
  session: Session,
  reason: string,
  redactor: Redactor,
  signal: AbortSignal,
): Promise<Looked> {
  const { target, openedInspector } = session;
  const run = await quietRun(
    { pid: target.pid },
    {
      reason,
      signal,
      redactor,
      async pass(_, plan, env) {
        env.emit({ type: 'run.started', reason, lens: env.version, planner: 'rules' });
        env.emit({ type: 'target.attached', target, openedInspector, attachMs: 0 });
        await lookInto(session, plan, env);
        env.emit({ type: 'target.detached', detached: { inspectorClosed: false, residue: [] } });
        return finish(env);
      },
    },
  );
  run.close();
  return { report: run.report, path: run.path };
}
