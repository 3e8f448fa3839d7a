import type { AsyncDump } from '../../model/evidence/async-dump.js';

const MOST = 500;
const SHOWN = 20;
const LINES = 8;
const MESSAGE = 160;

/** Unhandled rejections, only where the program listens itself: a first listener would keep alive what ought to crash. */
export class Rejections {
  private readonly reasons: unknown[] = [];
  private readonly listener = (reason: unknown): void => {
    if (this.reasons.length < MOST) this.reasons.push(reason);
  };

  listen(): void {
    if (process.listenerCount('unhandledRejection') > 0) process.on('unhandledRejection', this.listener);
  }

  stop(): void {
    process.removeListener('unhandledRejection', this.listener);
  }

  rows(): AsyncDump['rejections'] {
    const byStack = new Map<string, { count: number; message: string; stack: string[] }>();
    for (const reason of this.reasons) {
      const lines = stackOf(reason);
      const row = byStack.get(lines.join('\n')) ?? {
        count: 0,
        message: (lines[0] ?? '').slice(0, MESSAGE),
        stack: lines.slice(1, LINES),
      };
      byStack.set(lines.join('\n'), row);
      row.count++;
    }
    return [...byStack.values()].sort((a, b) => b.count - a.count).slice(0, SHOWN);
  }
}

/** Only an error's own `stack` text: a reason may be anything, and its getters are the program's. */
function stackOf(reason: unknown): string[] {
  if (reason instanceof Error) return String(reason.stack).split('\n').slice(0, LINES);
  return [typeof reason];
}
