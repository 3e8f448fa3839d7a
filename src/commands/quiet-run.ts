import type { Redactor } from '../base/redact.js';
import { DEFAULT_MAX_PAUSE_MS, type Safety } from '../collectors/guard.js';
import type { AttachTarget } from '../inspector/attach.js';
import type { EventBody, LensEvent } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Report } from '../model/report.js';
import type { Snapshot } from '../model/snapshot.js';
import { investigate, type Plan, type RunEnv } from '../run.js';
import { skills } from '../skills/index.js';
import { render } from './output.js';
import { openRecording } from './recording.js';

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
  const evidence = new Map<string, Evidence>();
  const { runId, directory, env } = openRecording({
    redactor: plan.redactor,
    interrupt: plan.signal,
    onEvidence: read => evidence.set(read.id, read),
    ...(plan.onEvent && { onEvent: plan.onEvent }),
  });
  const only = plan.only ? { only: plan.only } : {};
  const asked = { reason: plan.reason, skills, safety: plan.safety ?? 'normal', maxPauseMs: DEFAULT_MAX_PAUSE_MS };
  try {
    const report = await (plan.pass ?? investigate)(where, { ...asked, ...only }, env);
    directory.write('report.json', render(report, 'json'));
    directory.write('report.md', render(report, 'md'));
    const { path, close } = directory;
    return { report, evidence, snapshots: env.state().snapshots, runId, path, append: env.emit, close };
  } catch (error) {
    directory.close();
    throw error;
  }
}
