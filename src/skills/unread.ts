import type { Evidence } from '../model/evidence/index.js';

/** A query's answer where its reading could not be had: not knowing is an answer, an empty list would be a claim. */
export const unread = ({ status, reason }: Evidence): { readonly status: string; readonly reason: string } => ({
  status,
  reason: reason ?? 'no reason',
});
