import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LensError } from '../model/error.js';
import type { LensEvent } from '../model/event.js';

export interface RecordedRun {
  readonly path: string;
  readonly events: readonly LensEvent[];
  /** True when the last line was cut off: lens or the machine died while writing. */
  readonly truncated: boolean;
}

const SCHEMA_MAJOR = '1';

/** Reads RUN: a run directory, its run.ndjson, or the id of a run under `home`. Throws LensError that says where. */
export function readRun(run: string, home: string): RecordedRun {
  const path = locate(run, home);
  const lines = readText(path).split('\n');
  const events: LensEvent[] = [];
  let truncated = false;
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const event = parse(line);
    if (event === undefined && index === lines.length - 1) truncated = true;
    else if (event === undefined)
      throw new LensError(
        'file-malformed',
        `${path}:${index + 1} is not a lens event.`,
        'Give a run directory or its run.ndjson.',
      );
    else if (isVersion(event)) checkSchema(event, path);
    else events.push(event);
  }
  return { path, events, truncated };
}

function locate(run: string, home: string): string {
  const candidates = [run, join(home, run)];
  for (const candidate of candidates) {
    if (!existsSync(candidate)) continue;
    return statSync(candidate).isDirectory() ? join(candidate, 'run.ndjson') : candidate;
  }
  throw new LensError('file-unreadable', `There is no run ${run}.`, `Runs are kept in ${home}.`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new LensError('file-unreadable', `${path} cannot be read: ${(cause as Error).message}.`, 'Check the path.', {
      cause,
    });
  }
}

function parse(line: string): LensEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    // Events are written by lens itself; what is checked here is only that it is one.
    return isEventLike(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEventLike(value: unknown): value is LensEvent {
  const { type, at, runId, schema } = (value ?? {}) as { readonly [name: string]: unknown };
  if (type === 'version') return typeof schema === 'string';
  return typeof type === 'string' && typeof at === 'number' && typeof runId === 'string';
}

interface VersionLine {
  readonly type: 'version';
  readonly schema: string;
}

function isVersion(event: LensEvent | VersionLine): event is VersionLine {
  return event.type === ('version' as string);
}

function checkSchema(line: VersionLine, path: string): void {
  if (line.schema.split('.')[0] !== SCHEMA_MAJOR)
    throw new LensError(
      'file-malformed',
      `${path} was written in schema ${line.schema}, this lens reads ${SCHEMA_MAJOR}.x.`,
      'Use the lens that recorded it.',
    );
}
