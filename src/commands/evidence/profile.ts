import { sayBytes, sayShare } from '../../base/say.js';
import { type CallTree, callTree, frameAt, frameName } from '../../cpu/tree.js';
import { byFunction, byPackage, type Weights, weigh } from '../../cpu/weights.js';
import type { CpuProfile } from '../../model/evidence/cpu-profile.js';
import type { HeapSampling, V8SamplingNode } from '../../model/evidence/heap-sampling.js';
import type { FlameNode } from '../../report/flame.js';
import type { EvidenceSection, TreeNode } from '../../tui/world.js';

/** What fits on a screen and is still worth reading. */
const TOP = 40;
/** Frames below this share of the profile are too narrow for any terminal. */
const MIN_FLAME_SHARE = 0.005;
/** Branches below this share of the profile would bury the others. */
const MIN_TREE_SHARE = 0.005;
/** Branches from this share on are unfolded at once: the way to what burns the time. */
const OPEN_TREE_SHARE = 0.2;

export function profileSections({ profile }: CpuProfile): EvidenceSection[] {
  const tree = callTree(profile);
  const weights = weigh(tree);
  const share = (us: number) => `${((us / Math.max(1, weights.allUs)) * 100).toFixed(1)} %`;
  const flame = flameOf(tree, weights);
  return [
    {
      kind: 'table',
      title: 'Hot functions (of the time the program worked)',
      columns: ['self', 'total', 'function', 'where'],
      rows: byFunction(tree, weights)
        .slice(0, TOP)
        .map(({ frame, selfUs, totalUs }) => [
          share(selfUs),
          share(totalUs),
          frameName(frame),
          frame.url === '' ? '' : `${frame.url}:${frame.line + 1}`,
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
    { kind: 'flame', title: 'Flame graph (callees below)', root: flame },
    { kind: 'tree', title: 'Call tree', roots: flame.children.flatMap(child => callNode(child, flame.value)) },
  ];
}

function callNode(node: FlameNode, all: number): TreeNode[] {
  if (node.value < all * MIN_TREE_SHARE) return [];
  return [
    {
      label: `${sayShare(node.value / Math.max(1, all)).padStart(6)}  ${node.name}`,
      open: node.value >= all * OPEN_TREE_SHARE,
      children: node.children.toSorted((a, b) => b.value - a.value).flatMap(child => callNode(child, all)),
    },
  ];
}

/** The call tree for a picture, narrow branches left out. */
export function flameOf(tree: CallTree, { totalUs }: Weights): FlameNode {
  const least = (totalUs[0] ?? 0) * MIN_FLAME_SHARE;
  const children = childrenOf(tree);
  const node = (index: number): FlameNode => ({
    name: frameName(frameAt(tree, index)),
    value: totalUs[index] ?? 0,
    children: (children[index] ?? []).filter(child => (totalUs[child] ?? 0) > least).map(node),
  });
  return node(0);
}

function childrenOf(tree: CallTree): readonly (readonly number[])[] {
  const children: number[][] = Array.from({ length: tree.nodeCount }, () => []);
  for (let i = 0; i < tree.nodeCount; i++) children[tree.parent[i] ?? -1]?.push(i);
  return children;
}

export function samplingSections({ head, bytes }: HeapSampling): EvidenceSection[] {
  const sites = new Map<string, number>();
  const stack: V8SamplingNode[] = [head];
  for (let node = stack.pop(); node; node = stack.pop()) {
    const { functionName, url, lineNumber } = node.callFrame;
    const key = `${functionName || '(anonymous)'}\t${url}:${lineNumber + 1}`;
    if (node.selfSize > 0) sites.set(key, (sites.get(key) ?? 0) + node.selfSize);
    stack.push(...node.children);
  }
  const rows = [...sites].sort((a, b) => b[1] - a[1]).slice(0, TOP);
  return [
    {
      kind: 'table',
      title: `Who allocated the ${sayBytes(bytes)} of the window`,
      columns: ['bytes', 'function', 'where'],
      rows: rows.map(([key, size]) => [sayBytes(size), ...key.split('\t')]),
    },
  ];
}
