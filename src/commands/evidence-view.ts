import { sayBytes, sayMs } from '../base/say.js';
import { type CallTree, callTree, frameAt, frameName } from '../cpu/tree.js';
import { byFunction, byPackage, weigh } from '../cpu/weights.js';
import type { CpuProfile } from '../model/evidence/cpu-profile.js';
import type { Evidence } from '../model/evidence/index.js';
import type { EvidenceSection, EvidenceView, FlameNode, TreeNode } from '../tui/world.js';

/** What fits on a screen and is still worth reading. */
const TOP = 30;
const MAX_TREE_DEPTH = 5;
const MAX_LIST = 40;
/** Frames below this share of the profile are too narrow for any terminal. */
const MIN_FLAME_SHARE = 0.005;

/** Makes a reading readable: profiles as tables and flames, everything else as a tree of its fields. */
export function viewOf(evidence: Evidence): EvidenceView {
  const title = `${evidence.id}: ${evidence.status}${evidence.reason ? `, ${evidence.reason}` : ''}`;
  if (evidence.data === undefined) return { title, sections: [] };
  if (evidence.kind === 'cpu-profile') return { title, sections: profileSections(evidence.data as CpuProfile) };
  return { title, sections: [{ kind: 'tree', title: evidence.kind, roots: fields(evidence.data, 0) }] };
}

function profileSections({ profile }: CpuProfile): EvidenceSection[] {
  const tree = callTree(profile);
  const weights = weigh(tree);
  const share = (us: number) => `${((us / Math.max(1, weights.allUs)) * 100).toFixed(1)} %`;
  const functions = byFunction(tree, weights).slice(0, TOP);
  return [
    {
      kind: 'table',
      title: 'Hot functions',
      columns: ['self', 'total', 'function', 'where'],
      rows: functions.map(({ frame, selfUs, totalUs }) => [
        share(selfUs),
        share(totalUs),
        frameName(frame),
        `${frame.url}:${frame.line + 1}`,
      ]),
    },
    {
      kind: 'table',
      title: 'Packages',
      columns: ['self', 'package'],
      rows: byPackage(tree, weights)
        .slice(0, TOP)
        .map(p => [share(p.selfUs), p.name]),
    },
    { kind: 'flame', title: 'Flame graph (callees below)', root: flame(tree, weights.totalUs) },
  ];
}

function flame(tree: CallTree, totalUs: Float64Array): FlameNode {
  const least = (totalUs[0] ?? 0) * MIN_FLAME_SHARE;
  const children = childrenOf(tree);
  const node = (index: number): FlameNode => ({
    name: frameName(frameAt(tree, index)),
    value: totalUs[index] ?? 0,
    children: (children[index] ?? []).filter(child => (totalUs[child] ?? 0) >= least).map(node),
  });
  return node(0);
}

function childrenOf(tree: CallTree): readonly (readonly number[])[] {
  const children: number[][] = Array.from({ length: tree.nodeCount }, () => []);
  for (let i = 0; i < tree.nodeCount; i++) children[tree.parent[i] ?? -1]?.push(i);
  return children;
}

function fields(value: unknown, depth: number): TreeNode[] {
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
