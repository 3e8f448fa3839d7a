import { join } from 'node:path';
import type { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import { DEFAULT_MAX_PAUSE_MS, type Safety } from '../collectors/guard.js';
import type { AttachTarget } from '../inspector/attach.js';
import type { EventBody, LensEvent } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Report } from '../model/report.js';
import type { Snapshot } from '../model/snapshot.js';
import { initialState, reduce } from '../report/state.js';
import { investigate, type Plan, type RunEnv } from '../run.js';
import { skills } from '../skills/index.js';
import { openRunDirectory, runsHome, watchHome } from '../stores/run-directory.js';
import { version } from '../version.js';
import { identifiers } from './identifiers.js';
import { render } from './output.js';
import { learnSecretsOf } from './target-secrets.js';

export interface QuietPlan {
  readonly reason: string;
  /** Absent: every skill. */
  readonly only?: readonly string[];
  readonly safety?: Safety;
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
  /** Instead of an investigation that attaches by itself. */
  readonly pass?: (where: AttachTarget, plan: Plan, env: RunEnv) => Promise<Report>;
  /** Each event as it is kept, secrets out. */
  readonly onEvent?: (event: LensEvent) => void;
}

export interface QuietRun {
  readonly report: Report;
  readonly evidence: ReadonlyMap<string, Evidence>;
  readonly snapshots: readonly Snapshot[];
  readonly runId: string;
  /** The run's directory. */
  readonly path: string;
  /** Adds to the run after its report: the calls of a model that answered about it. */
  append(body: EventBody): void;
  close(): void;
}

/** One investigation that is kept like any other and prints nothing: what `ask` and the MCP server rest on. */
export async function quietRun(where: AttachTarget, plan: QuietPlan): Promise<QuietRun> {
  const { newId, runId, traceId } = identifiers();
  const directory = openRunDirectory(join(runsHome(process.env), runId), version);
  const evidence = new Map<string, Evidence>();
  let state = initialState;
  const emit = (body: EventBody) => {
    if (body.type === 'target.attached') learnSecretsOf(body.target.pid, plan.redactor);
    const event: LensEvent = plan.redactor.deep({ at: Date.now(), runId, traceId, ...body });
    state = reduce(state, event);
    directory.append(event);
    plan.onEvent?.(event);
  };
  const env: RunEnv = {
    now: () => Date.now(),
    newId,
    traceId,
    version,
    emit,
    state: () => state,
    keep: (read, params) => {
      const clean = plan.redactor.deep(read);
      evidence.set(clean.id, clean);
      return directory.keep(clean, params);
    },
    evidenceDirectory: join(directory.path, 'evidence'),
    watchHome: watchHome(process.env),
    sleep,
    interrupt: plan.signal,
  };
  const only = plan.only ? { only: plan.only } : {};
  const asked = { reason: plan.reason, skills, safety: plan.safety ?? 'normal', maxPauseMs: DEFAULT_MAX_PAUSE_MS };
  try {
    const report = await (plan.pass ?? investigate)(where, { ...asked, ...only }, env);
    directory.write('report.json', render(report, 'json'));
    directory.write('report.md', render(report, 'md'));
    const { path, close } = directory;
    return { report, evidence, snapshots: state.snapshots, runId, path, append: emit, close };
  } catch (error) {
    directory.close();
    throw error;
  }
}
