import type { Notification } from '../model/notification.js';

/** A model's claim that checking took the alarm from: it adds no words to what was measured. */
export function isUnproven({ author, severity, marks = [] }: Notification): boolean {
  return author === 'model' && severity === 'info' && marks.length > 0;
}
