import { randomBytes } from 'node:crypto';

export interface Identifiers {
  readonly runId: string;
  readonly traceId: string;
  /** `vitals-1`, `insight-2`: short enough to be said aloud, unique within the run. */
  readonly newId: (prefix: string) => string;
}

export function identifiers(): Identifiers {
  const counts = new Map<string, number>();
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  return {
    runId: `${stamp}-${randomBytes(3).toString('hex')}`,
    traceId: randomBytes(16).toString('hex'),
    newId(prefix) {
      const next = (counts.get(prefix) ?? 0) + 1;
      counts.set(prefix, next);
      return `${prefix}-${next}`;
    },
  };
}
