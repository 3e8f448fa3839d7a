import type { AsyncDump } from '../../model/evidence/async-dump.js';
import type { PartHost } from '../host.js';
import { type ErrorTeller, errorTeller, joinRejections } from '../thrown.js';

const MOST = 500;
const SHOWN = 20;
const LINES = 8;
const MESSAGE = 160;

/** Unhandled rejections, only where the program listens itself. */
export class Rejections {
  private leave = () => {};
  private readonly tell: ErrorTeller;

  constructor(private readonly host: PartHost) {
    this.tell = errorTeller(host);
  }

  private readonly reasons: unknown[] = [];
  private readonly listener = (reason: unknown): void => {
    if (this.reasons.length < MOST) this.reasons.push(reason);
  };

  listen(): void {
    const process = this.host.require('node:process') as NodeJS.Process;
    this.leave = joinRejections(process, this.listener) ?? (() => {});
  }

  stop(): void {
    this.leave();
  }

  rows(): AsyncDump['rejections'] {
    const byStack = new Map<string, { count: number; message: string; stack: string[] }>();
    for (const reason of this.reasons) {
      const { type, stack } = this.tell(reason);
      const lines = stack === '' ? [type] : stack.split('\n').slice(0, LINES);
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
