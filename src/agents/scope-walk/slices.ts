import type { WalkCost } from '../../model/evidence/collection-growth.js';
import { LIMITS, type Realm } from './realm.js';

/** Turns of a few milliseconds on the event loop, each followed by as long a pause, within bounds of cpu and wall time. */
export class Slices {
  private cpuMs = 0;
  private longestMs = 0;
  private wallMs = 0;
  private stopped = false;

  constructor(private readonly realm: Realm) {}

  /** `work` says whether it has finished. `end` is called once: `cut` when a bound came first. */
  run(begin: () => void, work: () => boolean, end: (cut: boolean) => void): void {
    const { host } = this.realm;
    const startedAt = host.now();
    const turn = (step: () => boolean) => {
      const from = host.now();
      const finished = this.stopped || step();
      const spent = host.now() - from;
      this.cpuMs += spent;
      this.longestMs = Math.max(this.longestMs, spent);
      this.wallMs = host.now() - startedAt;
      const cut = !finished && (this.cpuMs > LIMITS.cpuMs || this.wallMs > LIMITS.wallMs);
      if (finished || cut) {
        end(cut);
        return;
      }
      const next = () => turn(work);
      if (spent > 1) host.setTimeout(next, Math.min(20, Math.ceil(spent)));
      else host.setImmediate(next);
    };
    host.setImmediate(() =>
      turn(() => {
        begin();
        return false;
      }),
    );
  }

  stop(): void {
    this.stopped = true;
  }

  cost(): Pick<WalkCost, 'cpuMs' | 'longestSliceMs' | 'wallMs'> {
    const round = (ms: number) => Math.round(ms * 10) / 10;
    return { cpuMs: round(this.cpuMs), longestSliceMs: round(this.longestMs), wallMs: Math.round(this.wallMs) };
  }
}
