import { join } from 'node:path';
import type { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import type { EventBody, LensEvent } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import { initialState, reduce } from '../report/state.js';
import type { RunEnv } from '../run.js';
import { openRunDirectory, type RunDirectory, runsHome, watchHome } from '../stores/run-directory.js';
import { version } from '../version.js';
import { identifiers } from './identifiers.js';
import { learnSecretsOf } from './target-secrets.js';

export interface RecordingPlan {
  readonly redactor: Redactor;
  readonly interrupt: AbortSignal;
  /** Where the run is kept; absent: below the state directory, under the run's id. */
  readonly path?: string | undefined;
  /** Ids that go on where an earlier pass of the same person ended; absent: they begin anew. */
  readonly newId?: (prefix: string) => string;
  /** Each event after it was kept, secrets out. */
  readonly onEvent?: (event: LensEvent) => void;
  /** Each reading, secrets out. */
  readonly onEvidence?: (evidence: Evidence) => void;
}

export interface Recording {
  readonly runId: string;
  readonly directory: RunDirectory;
  readonly env: RunEnv;
}

/** A run's directory and what its passes need: every event and reading is redacted once, here, before anybody sees it. */
export function openRecording(plan: RecordingPlan): Recording {
  const { redactor, interrupt, path, onEvent, onEvidence } = plan;
  const { runId, traceId, ...ids } = identifiers();
  const newId = plan.newId ?? ids.newId;
  const directory = openRunDirectory(path ?? join(runsHome(process.env), runId), version);
  let state = initialState;
  const emit = (body: EventBody): void => {
    if (body.type === 'target.attached') learnSecretsOf(body.target.pid, redactor);
    const event: LensEvent = redactor.deep({ at: Date.now(), runId, traceId, ...body });
    state = reduce(state, event);
    directory.append(event);
    onEvent?.(event);
  };
  const env: RunEnv = {
    now: Date.now,
    newId,
    traceId,
    version,
    emit,
    state: () => state,
    keep(read, params) {
      const clean = redactor.deep(read);
      onEvidence?.(clean);
      return directory.keep(clean, params);
    },
    learn: pid => learnSecretsOf(pid, redactor),
    evidenceDirectory: join(directory.path, 'evidence'),
    watchHome: watchHome(process.env),
    sleep,
    interrupt,
  };
  return { runId, directory, env };
}
