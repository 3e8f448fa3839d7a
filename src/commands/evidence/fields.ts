import { sayBytes, sayMs } from '../../base/say.js';
import type { TreeNode } from '../../tui/world.js';

const MAX_TREE_DEPTH = 5;
const MAX_LIST = 40;

/** Any value as an unfolding tree of its fields, lists cut short. */
export function fields(value: unknown, depth = 0): TreeNode[] {
  if (depth >= MAX_TREE_DEPTH || typeof value !== 'object' || value === null) return [];
  const entries = Array.isArray(value) ? value.map((item, i) => [String(i), item] as const) : Object.entries(value);
  const shown = entries
    .slice(0, MAX_LIST)
    .map(([name, item]): TreeNode => ({ label: label(name, item), children: fields(item, depth + 1) }));
  return entries.length > MAX_LIST ? [...shown, { label: `… ${entries.length - MAX_LIST} more`, children: [] }] : shown;
}

function label(name: string, item: unknown): string {
  if (Array.isArray(item)) return `${name}: ${item.length} items`;
  if (typeof item === 'object' && item !== null) return name;
  if (typeof item === 'number') return `${name}: ${sayNumber(name, item)}`;
  return `${name}: ${String(item)}`;
}

/** Units stand in the names: `usedBytes`, `pausedMs`. */
function sayNumber(name: string, value: number): string {
  if (/bytes$/i.test(name)) return sayBytes(value);
  if (/ms$/i.test(name) && !/^(at|now)/.test(name)) return sayMs(value);
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
