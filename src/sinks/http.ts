import { Refused } from './sink.js';

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers?: { readonly [name: string]: string };
  readonly signal: AbortSignal;
}

/** These say "not now": the same request may be accepted later. */
const TRY_AGAIN = [408, 425, 429];
const SHOWN_CHARACTERS = 200;

/** POSTs JSON. Throws Refused for a 4xx that will stay, and an Error worth another try for everything else. */
export async function post({ url, body, headers, signal }: Post): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'user-agent': 'node-lens', ...headers },
    signal,
    redirect: 'error',
  });
  const answer = (await response.text()).slice(0, SHOWN_CHARACTERS);
  if (response.ok) return;
  const message = `answered ${response.status} ${answer.replace(/\s+/g, ' ')}`.trim();
  throw response.status < 500 && !TRY_AGAIN.includes(response.status) ? new Refused(message) : new Error(message);
}

/** What of an address may be shown: webhook paths and queries are secrets. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is none';
}
