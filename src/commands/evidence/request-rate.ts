import { type Evidence, isUsable } from '../../model/evidence/index.js';
import type { Traffic } from '../../model/evidence/traffic.js';

/** Requests begun a second in a reading of traffic; undefined for any other, and where no server listened. */
export function requestRate(evidence: Evidence | undefined): number | undefined {
  if (evidence?.kind !== 'traffic' || !isUsable(evidence)) return undefined;
  const { windowMs, requests, after } = evidence.data as Traffic; // its kind says so
  return windowMs > 0 && after.servers > 0 ? (requests.length * 1000) / windowMs : undefined;
}
