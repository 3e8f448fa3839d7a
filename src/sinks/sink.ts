import type { WatchEvent } from '../model/watch-event.js';

/** A place where the events of a watch go out. */
export interface Sink {
  /** For people: `webhook https://…`. Never holds a secret. */
  readonly name: string;
  /** Events it has a use for; the others never wait in its queue. */
  wants(event: WatchEvent): boolean;
  /**
   * Hands over a batch, oldest first, and resolves once it is accepted. Rejects when it may be tried again; throws
   * Refused when it never will be. A batch that was half accepted may come again: receivers see `watch` and `seq`, or a dedup key.
   */
  deliver(events: readonly WatchEvent[], signal: AbortSignal): Promise<void>;
  /** How many events one delivery takes. */
  readonly batch: number;
  close?(): Promise<void>;
}

/** The receiver understood and said no (HTTP 4xx): trying again is of no use. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The news that wakes people. */
export function isAlert(event: WatchEvent): event is Extract<WatchEvent, { readonly alert: unknown }> {
  return event.type === 'alert.fired' || event.type === 'alert.resolved' || event.type === 'alert.escalated';
}
