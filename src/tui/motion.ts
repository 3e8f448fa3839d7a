import type { Key } from './keys.js';

export type Motion = { readonly by: number } | { readonly to: 'start' | 'end' };

/** What a key moves, where `page` rows are a page; undefined for a key that moves nothing. */
export function motionOf(key: Key, page: number): Motion | undefined {
  if (key.name === 'down' || key.input === 'j') return { by: 1 };
  if (key.name === 'up' || key.input === 'k') return { by: -1 };
  if (key.name === 'wheelDown') return { by: WHEEL };
  if (key.name === 'wheelUp') return { by: -WHEEL };
  if (key.name === 'pageDown') return { by: page };
  if (key.name === 'pageUp') return { by: -page };
  if (key.name === 'home' || key.input === 'g') return { to: 'start' };
  if (key.name === 'end' || key.input === 'G') return { to: 'end' };
  return undefined;
}

/** What a notch of the wheel moves in every terminal. */
const WHEEL = 3;

/** Where a motion leads among `count` places. */
export function moved(from: number, motion: Motion, count: number): number {
  if ('to' in motion) return motion.to === 'start' ? 0 : Math.max(0, count - 1);
  return clamp(Math.min(from, count - 1) + motion.by, count);
}

/** Within a list of `length` places; the first where there is none. */
export function clamp(index: number, length: number): number {
  return Math.max(0, Math.min(index, length - 1));
}
