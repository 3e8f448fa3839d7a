import { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import { DEFAULT_MAX_PAUSE_MS, guard } from '../collectors/guard.js';
import { collectors } from '../collectors/index.js';
import { guardedProbe } from '../collectors/probe.js';
import { readSecrets } from '../collectors/secrets.js';
import { withHeapReading } from '../heap-reading.js';
import { attach } from '../inspector/attach.js';
import type { Session } from '../inspector/session.js';
import { LensError } from '../model/error.js';
import { type Evidence, type EvidenceKind, type EvidenceParams, isUsable } from '../model/evidence/index.js';
import type { Probe } from '../model/probe.js';
import type { Detached } from '../model/report.js';
import type { Skill } from '../model/skill.js';
import type { Snapshot } from '../model/snapshot.js';
import type { TargetInfo } from '../model/target.js';
import type { ExecuteSeat } from '../operators/execute.js';
import { costBasis, targetCpuMs } from '../target-cost.js';

/** A target nobody asked about for this long is let go. */
const IDLE_MS = 5 * 60_000;
const MOST_ATTACHED = 4;

/** One target that an assistant looks at: its guarded door, what was read, and the secrets to hide. */
export class Attached {
  readonly evidence = new Map<string, Evidence>();
  readonly redactor = new Redactor();
  readonly probe: Probe;
  readonly #end = new AbortController();
  #ids = 0;

  private constructor(readonly session: Session) {
    const signal = AbortSignal.any([session.lost, this.#end.signal]);
    this.probe = guardedProbe({
      session,
      collectors: withHeapReading(collectors, { emit: () => {} }),
      guard: guard('normal', DEFAULT_MAX_PAUSE_MS),
      basis: thread => costBasis(session, thread),
      cpuMs: () => targetCpuMs(session.target.pid),
      now: Date.now,
      newId: prefix => this.#newId(prefix),
      sleep: ms => sleep(ms, signal),
      signal,
      emit: () => {},
      keep: read => {
        const clean = this.redactor.deep(read);
        this.evidence.set(clean.id, clean);
        return {};
      },
    });
  }

  static async to(pid: number): Promise<Attached> {
    const attached = new Attached(await attach({ pid }, { ownPort: true }));
    attached.redactor.learn(await readSecrets(attached.session));
    return attached;
  }

  get target(): TargetInfo {
    return this.session.target;
  }

  get isLost(): boolean {
    return this.session.lost.aborted;
  }

  /** What scripts and queries stand on. */
  get seat(): ExecuteSeat {
    const { target, redactor } = this;
    return { target, redactor, now: Date.now, evidence: () => this.evidence, signal: this.#end.signal };
  }

  /** The skill's numbers now; undefined when there was not enough to say. */
  async snapshot(skill: Skill): Promise<Snapshot | undefined> {
    const asked = await Promise.all(
      Object.entries(skill.needs).map(async ([name, need]) => {
        const params = need.params as EvidenceParams<EvidenceKind>; // the need pairs a kind with its own params
        return [name, (await this.probe.ask(need.kind, params)) as Evidence] as const;
      }),
    );
    const usable = asked.filter(([, evidence]) => isUsable(evidence));
    const given = asked.map(([name, evidence]) => [name, isUsable(evidence) ? evidence.data : undefined]);
    const data = skill.snapshot(Object.fromEntries(given));
    const evidenceIds = usable.map(([, evidence]) => evidence.id);
    return data && { id: this.#newId('snapshot'), skill: skill.id, takenAt: Date.now(), evidenceIds, data };
  }

  async detach(): Promise<Detached> {
    this.#end.abort(new Error('detached'));
    return this.session.detach();
  }

  #newId(prefix: string): string {
    return `${prefix}-${++this.#ids}`;
  }
}

/** The targets of one server, by pid. Each is let go when it was idle for long, and all of them at the end. */
export class Targets {
  readonly #attached = new Map<number, Promise<Attached>>();
  readonly #timers = new Map<number, NodeJS.Timeout>();

  /** Attaches unless that is done already. */
  async get(pid: number): Promise<Attached> {
    const known = await this.#attached.get(pid)?.catch(() => undefined);
    if (known?.isLost) this.#forget(pid);
    this.#rest(pid);
    const open = this.#attached.get(pid) ?? this.#open(pid);
    return open.catch(error => {
      this.#forget(pid);
      throw error;
    });
  }

  #open(pid: number): Promise<Attached> {
    if (this.#attached.size >= MOST_ATTACHED) {
      const pids = [...this.#attached.keys()].join(', ');
      throw new LensError('usage', `At most ${MOST_ATTACHED} processes at once: ${pids}.`, 'Detach from one first.');
    }
    const open = Attached.to(pid);
    this.#attached.set(pid, open);
    return open;
  }

  /** Undefined when it was not attached. */
  async detach(pid: number): Promise<Detached | undefined> {
    const attached = await this.#attached.get(pid)?.catch(() => undefined);
    this.#forget(pid);
    return attached?.detach();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#attached.keys()].map(pid => this.detach(pid)));
  }

  #rest(pid: number): void {
    clearTimeout(this.#timers.get(pid));
    this.#timers.set(pid, setTimeout(() => void this.detach(pid).catch(() => {}), IDLE_MS).unref());
  }

  #forget(pid: number): void {
    clearTimeout(this.#timers.get(pid));
    this.#timers.delete(pid);
    this.#attached.delete(pid);
  }
}
