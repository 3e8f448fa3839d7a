import { own } from '../peek.js';
import { before, isNumber } from '../text.js';
import type { Incoming } from './shapes.js';

/** Uuids, hashes, numbers, and every path segment with a digit, an @ or more than 24 characters: values, not names. */
const VALUE_SIGNS = '0123456789@%';
const LONGEST_NAME = 24;
const MOST = 120;
const DEPTH = 8;

/** `/users/42/orders?x=1` → `/users/:id/orders`. A version segment such as `v1` stays. */
export function template(url: unknown): string {
  const path = before(typeof url === 'string' ? url : '', '?#') || '/';
  const parts = path.split('/');
  const short = parts.slice(0, DEPTH).map(part => (isVersion(part) || !isValue(part) ? part : ':id'));
  return (short.join('/') + (parts.length > DEPTH ? '/…' : '')).slice(0, MOST);
}

const isValue = (part: string): boolean => part.length > LONGEST_NAME || before(part, VALUE_SIGNS) !== part;
const isVersion = (part: string): boolean => part.startsWith('v') && part.length <= 3 && isNumber(part.slice(1));
const withoutSlash = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);

/** The framework's own route when the request knows it (express and its kin), else the templated path. */
export function routeOf(request: Incoming): string {
  const path = own(own(request, 'route'), 'path');
  if (typeof path !== 'string') return template(own(request, 'originalUrl') || own(request, 'url'));
  return (withoutSlash(template(own(request, 'baseUrl') || '/')) + path).slice(0, MOST) || '/';
}
