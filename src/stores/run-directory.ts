import { createHash } from 'node:crypto';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { LensEvent } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Json } from '../model/json.js';
import { makeDirectory } from './make-directory.js';

/** Above this a reading lies in a file of its own and the event only names it: keeps run.ndjson readable by eye. */
const INLINE_BYTES = 32 * 1024;

/** File name endings that other tools open by themselves. */
const ENDING: { readonly [kind: string]: string } = { 'cpu-profile': 'cpuprofile', 'heap-sampling': 'heapprofile' };

export interface RunDirectory {
  readonly path: string;
  append(event: LensEvent): void;
  keep(evidence: Evidence, params: Json): { readonly data?: Json; readonly path?: string };
  write(name: string, text: string): void;
  /** The first error of the disk, if any: the run goes on without a store. */
  readonly failed: Error | undefined;
  close(): void;
}

/** Where runs live unless told otherwise: `$XDG_STATE_HOME/lens/runs`. */
export function runsHome(env: { readonly [name: string]: string | undefined }): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'lens', 'runs');
}

/** Where watches keep what they learned: beside the runs. */
export const watchHome = (env: { readonly [name: string]: string | undefined }): string =>
  join(runsHome(env), '..', 'watch');

/** Opens DIR/run.ndjson and DIR/evidence/. A full or read-only disk never ends a run: it is remembered in `failed`. */
export function openRunDirectory(path: string, lensVersion: string): RunDirectory {
  let failed: Error | undefined;
  let file: number | undefined;
  attempt(() => {
    makeDirectory(join(path, 'evidence'));
    file = openSync(join(path, 'run.ndjson'), 'a', 0o600);
    writeSync(file, `${JSON.stringify({ type: 'version', lens: lensVersion, schema: '1.0' })}\n`);
  });

  return {
    path,
    get failed() {
      return failed;
    },
    append(event) {
      attempt(() => {
        if (file !== undefined) writeSync(file, `${JSON.stringify(event)}\n`);
      });
    },
    keep(evidence) {
      if (evidence.data === undefined) return {};
      const text = JSON.stringify(fileContent(evidence));
      // JSON text parsed again is JSON by construction.
      if (text.length <= INLINE_BYTES) return { data: JSON.parse(text) as Json };
      const name = join('evidence', `${evidence.id}.${ENDING[evidence.kind] ?? 'json'}`);
      attempt(() => writeFileSync(join(path, name), text, { mode: 0o600 }));
      return failed ? {} : { path: name };
    },
    write(name, text) {
      attempt(() => writeFileSync(join(path, name), text, { mode: 0o600 }));
    },
    close() {
      if (file !== undefined) attempt(() => closeSync(file as number));
      file = undefined;
    },
  };

  function attempt(work: () => void): void {
    if (failed) return;
    try {
      work();
    } catch (error) {
      failed = error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** DevTools opens the bare profile, not our wrapping of it. */
function fileContent(evidence: Evidence): unknown {
  const data = evidence.data as { readonly profile?: unknown };
  return evidence.kind === 'cpu-profile' && data.profile ? data.profile : evidence.data;
}

/** Hex digest for an artifact's entry in the report. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
