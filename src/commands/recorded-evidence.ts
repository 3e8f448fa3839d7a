import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Evidence } from '../model/evidence/index.js';
import type { RecordedRun } from '../stores/recorded-run.js';

/** The readings of a recorded run: from its stream, or from the files beside it. What is gone is unavailable. */
export function evidenceOf({ events, path }: RecordedRun): ReadonlyMap<string, Evidence> {
  const readings = events.flatMap(event => {
    if (event.type !== 'evidence.collected') return [];
    const { id, kind, at, status, pausedMs, costMs, reason } = event;
    const kept = event.data ?? (event.path ? fileData(join(dirname(path), event.path)) : undefined);
    const data = kind === 'cpu-profile' ? wrapped(kept) : kept;
    const known = data === undefined && status !== 'refused' ? 'unavailable' : status;
    const evidence: Evidence = {
      id,
      kind,
      takenAt: at,
      status: known,
      pausedMs,
      costMs,
      data,
      ...(reason && { reason }),
    };
    return [[id, evidence] as const];
  });
  return new Map(readings);
}

/** Profiles are kept bare, as DevTools opens them. */
function wrapped(profile: unknown): unknown {
  return typeof profile === 'object' && profile !== null && !('profile' in profile) ? { profile } : profile;
}

function fileData(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
