import type { Alert } from '../model/watch-event.js';

export interface AlertPolicy {
  /** The same trouble again within this time of its end is one trouble: it is counted, not told. */
  readonly suppressMs: number;
  /** A warning that burns this long is told once more, as critical. Infinity: never. */
  readonly escalateMs: number;
}

/** SEEDS: suppression 5 min; a person who has not reacted within 15 min needs another word. */
export const ALERT_POLICY: AlertPolicy = { suppressMs: 5 * 60_000, escalateMs: 15 * 60_000 };

export interface AlertNews {
  readonly kind: 'fired' | 'escalated' | 'resolved';
  readonly alert: Alert;
}

interface Page {
  readonly alert: Alert;
  /** open: told and burning. held: burns, but must not be told yet. closed: over, remembered for suppression. */
  readonly phase: 'open' | 'held' | 'closed';
  readonly closedAt: number;
}

/**
 * What people are told of which alert: once when it fires, once when it ends, never twice in between. A warning is held
 * back while a critical alert burns on the same metric, and after a recent end; when it still burns then, it is told.
 */
export class AlertBook {
  readonly #pages = new Map<string, Page>();

  /** `open`: alerts that were told by an earlier lens and not ended. */
  constructor(
    private readonly policy: AlertPolicy = ALERT_POLICY,
    open: readonly Alert[] = [],
  ) {
    for (const alert of open)
      this.#pages.set(alert.fingerprint, { alert, phase: 'open', closedAt: Number.NEGATIVE_INFINITY });
  }

  /** Everything that burns and was told, oldest first. */
  get open(): readonly Alert[] {
    return [...this.#pages.values()].filter(({ phase }) => phase === 'open').map(({ alert }) => alert);
  }

  begin(alert: Alert, at: number): AlertNews[] {
    const before = this.#pages.get(alert.fingerprint);
    if (before && before.phase !== 'closed') return [];
    const recent = before !== undefined && at - before.closedAt < this.policy.suppressMs;
    const counted = { ...alert, count: (recent ? before.alert.count : 0) + 1 };
    const closedAt = recent ? before.closedAt : Number.NEGATIVE_INFINITY;
    this.#pages.set(alert.fingerprint, { alert: counted, phase: 'held', closedAt });
    return this.tick(at);
  }

  end(fingerprint: string, at: number): AlertNews[] {
    const page = this.#pages.get(fingerprint);
    if (!page || page.phase === 'closed') return [];
    // A held one keeps the time its trouble was last told to be over: flapping must not silence it for ever.
    const closedAt = page.phase === 'open' ? at : page.closedAt;
    this.#pages.set(fingerprint, { ...page, phase: 'closed', closedAt });
    const resolved: AlertNews[] = page.phase === 'open' ? [{ kind: 'resolved', alert: page.alert }] : [];
    return [...resolved, ...this.tick(at)];
  }

  /** What time alone brings: held alerts whose reason has passed, warnings that burn too long, pages to forget. */
  tick(at: number): AlertNews[] {
    const news: AlertNews[] = [];
    for (const [fingerprint, page] of this.#pages) {
      if (page.phase === 'held' && !this.#holds(page, at)) news.push(this.#tell(fingerprint, page, 'fired'));
      else if (page.phase === 'open' && this.#burnsTooLong(page, at))
        news.push(this.#tell(fingerprint, { ...page, alert: { ...page.alert, level: 'critical' } }, 'escalated'));
      else if (page.phase === 'closed' && at - page.closedAt >= this.policy.suppressMs) this.#pages.delete(fingerprint);
    }
    return news;
  }

  #holds(page: Page, at: number): boolean {
    return at - page.closedAt < this.policy.suppressMs || this.#isInhibited(page.alert);
  }

  #isInhibited({ metric, level, fingerprint }: Alert): boolean {
    if (level === 'critical') return false;
    return this.open.some(
      other => other.metric === metric && other.level === 'critical' && other.fingerprint !== fingerprint,
    );
  }

  #burnsTooLong({ alert }: Page, at: number): boolean {
    // What is only unusual, or still to come, stays a warning.
    return alert.level === 'warning' && alert.kind === 'limit' && at - alert.firedAt >= this.policy.escalateMs;
  }

  #tell(fingerprint: string, page: Page, kind: AlertNews['kind']): AlertNews {
    this.#pages.set(fingerprint, { ...page, phase: 'open' });
    return { kind, alert: page.alert };
  }
}
