import type { Redactor } from '../../base/redact.js';
import { sleep } from '../../base/sleep.js';
import type { Session } from '../../inspector/session.js';
import { openMind } from '../../mind.js';
import type { Report } from '../../model/report.js';
import { finish, lookInto } from '../../run.js';
import { quietRun } from '../quiet-run.js';

export interface Looked {
  readonly report: Report;
  readonly path: string;
}

export interface Looking {
  readonly reason: string;
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  /** Ask the model that the environment names, if it names one; the rules play first in any case. */
  readonly model: boolean;
  readonly deadlineMs?: number;
}

/** An investigation that a model never ends concludes with what there is: the watch judges nothing meanwhile. */
const DEADLINE_MS = 150_000;

/** An investigation over the session that the watch holds already: kept like any other run, the session stays open. */
export async function lookWithin(
  session: Session,
  { reason, redactor, signal, model, deadlineMs = DEADLINE_MS }: Looking,
): Promise<Looked> {
  const { target, openedInspector } = session;
  const run = await quietRun(
    { pid: target.pid },
    {
      reason,
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
      redactor,
      async pass(_, plan, env) {
        const { emit } = env;
        const mind = model
          ? await openMind({}, process.env, { now: Date.now, sleep, random: Math.random, emit, redactor })
          : undefined;
        emit({ type: 'run.started', reason, lens: env.version, planner: mind ? 'model' : 'rules' });
        emit({ type: 'target.attached', target, openedInspector, attachMs: 0 });
        await lookInto(session, plan, mind ? { ...env, mind } : env);
        emit({ type: 'target.detached', detached: { inspectorClosed: false, residue: [] } });
        return finish(env);
      },
    },
  );
  run.close();
  return { report: run.report, path: run.path };
}
