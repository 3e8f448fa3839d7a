import { own } from '../peek.js';
import type { Incoming } from './shapes.js';

/** Uuids, hashes, numbers, and every path segment with a digit, an @ or more than 24 characters: values, not names. */
const VALUE = /^(?:.*[0-9@%].*|.{25,})$/;
const MOST = 120;
const DEPTH = 8;

/** `/users/42/orders?x=1` → `/users/:id/orders`. A version segment such as `v1` stays. */
export function template(url: unknown): string {
  const path = (typeof url === 'string' ? url : '').split(/[?#]/, 1)[0] || '/';
  const parts = path.split('/');
  const short = parts.slice(0, DEPTH).map(part => (/^v\d{1,2}$/.test(part) || !VALUE.test(part) ? part : ':id'));
  return (short.join('/') + (parts.length > DEPTH ? '/…' : '')).slice(0, MOST);
}

/** The framework's own route when the request knows it (express and its kin), else the templated path. */
export function routeOf(request: Incoming): string {
  const path = own(own(request, 'route'), 'path');
  if (typeof path !== 'string') return template(own(request, 'originalUrl') || own(request, 'url'));
  return (template(own(request, 'baseUrl') || '/').replace(/\/$/, '') + path).slice(0, MOST) || '/';
}
