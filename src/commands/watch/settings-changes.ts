import type { Origin } from '../settings.js';

export interface SettingsChanges {
  readonly changes: readonly { readonly name: string; readonly value: string; readonly from: string }[];
  readonly later: readonly string[];
}

/** Rings are as long as they were made. */
const LATER = new Set(['watch.history']);

/** What is set otherwise now. Values are said but for those of sinks, which may hold secrets. */
export function changesOf(before: readonly Origin[], after: readonly Origin[]): SettingsChanges {
  const old = new Map(before.map(({ name, value }) => [name, JSON.stringify(value)]));
  const changed = after.filter(({ name, value }) => isOfWatch(name) && old.get(name) !== JSON.stringify(value));
  return {
    changes: changed
      .filter(({ name }) => !LATER.has(name))
      .map(({ name, value, from }) => ({ name, from, value: said(name, value) })),
    later: changed.filter(({ name }) => LATER.has(name)).map(({ name }) => name),
  };
}

const isOfWatch = (name: string): boolean => name === 'sinks' || name.startsWith('watch.');

function said(name: string, value: unknown): string {
  if (name !== 'sinks') return typeof value === 'string' ? value : JSON.stringify(value);
  return Array.isArray(value) && value.length > 0 ? value.map(({ type }) => type).join(', ') : 'none';
}
