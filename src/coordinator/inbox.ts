import type { Notification } from '../model/notification.js';

export type NotificationStatus = 'unread' | 'acknowledged' | 'resolved';
const ORDER: readonly NotificationStatus[] = ['unread', 'acknowledged', 'resolved'];

/** Notifications with what the coordinator made of them. A status only moves forward. */
export class Inbox {
  readonly #statuses = new Map<string, NotificationStatus>();
  readonly #reasons = new Map<string, string>();

  constructor(readonly all: () => readonly Notification[]) {}

  statusOf(id: string): NotificationStatus {
    return this.#statuses.get(id) ?? 'unread';
  }

  /** Why a notification was put aside; undefined when nobody said. */
  reasonOf(id: string): string | undefined {
    return this.#reasons.get(id);
  }

  with(status: NotificationStatus | 'all'): Notification[] {
    return this.all().filter(({ id }) => status === 'all' || this.statusOf(id) === status);
  }

  /** Moves forward; returns the ids that don't exist. */
  move(ids: readonly string[], to: NotificationStatus, reason?: string): string[] {
    const known = new Set(this.all().map(({ id }) => id));
    for (const id of ids) {
      if (!known.has(id) || ORDER.indexOf(to) <= ORDER.indexOf(this.statusOf(id))) continue;
      this.#statuses.set(id, to);
      if (reason) this.#reasons.set(id, reason);
    }
    return ids.filter(id => !known.has(id));
  }
}
