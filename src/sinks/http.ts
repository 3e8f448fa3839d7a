import { Refused } from './sink.js';

export interface Post {
  readonly url: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers?: { readonly [name: string]: string };
  readonly signal: AbortSignal;
}

/** What a receiver said when it took the request. */
export interface Answer {
  readonly type: string | undefined;
  readonly body: Uint8Array;
}

/** These say "not now": the same request may be accepted later. */
const TRY_AGAIN = [408, 425, 429];
const SHOWN_CHARACTERS = 200;

/** POSTs JSON, or what `content-type` says. Throws Refused for a 4xx that will stay, and an Error worth another try for everything else. */
export async function post({ url, body, headers, signal }: Post): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'user-agent': 'node-lens', ...headers },
    signal,
    redirect: 'error',
  });
  const answer = new Uint8Array(await response.arrayBuffer());
  if (response.ok) return { type: response.headers.get('content-type')?.split(';')[0], body: answer };
  const text = Buffer.from(answer).toString().slice(0, SHOWN_CHARACTERS);
  const message = `answered ${response.status} ${text.replace(/\s+/g, ' ')}`.trim();
  throw response.status < 500 && !TRY_AGAIN.includes(response.status) ? new Refused(message) : new Error(message);
}

/** What of an address may be shown: webhook paths and queries are secrets. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is none';
}
