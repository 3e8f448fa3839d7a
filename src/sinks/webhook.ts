import { createHmac } from 'node:crypto';
import type { WatchEvent } from '../model/watch-event.js';
import { hostOf, post } from './http.js';
import type { Sink } from './sink.js';

export interface WebhookOptions {
  readonly url: string;
  /** Signs the body, so that the receiver knows who speaks. */
  readonly secret?: string;
  /** Event types; absent: all but the readings themselves. */
  readonly events?: readonly WatchEvent['type'][];
}

/**
 * POST of `{"events": [...]}`. With a secret, `x-lens-signature: t=SECONDS,v1=HEX` is the HMAC-SHA256 of `SECONDS.BODY`:
 * the time is signed too, so that a recorded request can't be sent again later.
 */
export function webhookSink({ url, secret, events }: WebhookOptions, now: () => number): Sink {
  return {
    name: `webhook ${hostOf(url)}`,
    batch: 100,
    wants: event => (events ? events.includes(event.type) : event.type !== 'metrics.read'),
    async deliver(batch, signal) {
      const body = JSON.stringify({ events: batch });
      const headers = secret === undefined ? {} : { 'x-lens-signature': signatureOf(body, secret, now()) };
      await post({ url, body, headers, signal });
    },
  };
}

function signatureOf(body: string, secret: string, at: number): string {
  const seconds = Math.floor(at / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}
