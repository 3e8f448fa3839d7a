import type { Folds } from './ui.js';
import type { TreeNode } from './world.js';

/** A node that is in sight. */
export interface TreeRow {
  /** Section, root, child, … with dots between. */
  readonly place: string;
  readonly depth: number;
  readonly label: string;
  readonly open: boolean;
  /** How many nodes unfolding it shows or hides; 0 for a leaf. */
  readonly folded: number;
}

/** What decides which nodes are in sight: folds, or a filter (in lower case), which unfolds down to what matches. */
export interface Forest {
  readonly folds: Folds;
  readonly wanted: string;
}

/** The node and what is unfolded below it; nothing when a filter is set and neither matches. */
export function treeRows(node: TreeNode, place: string, depth: number, forest: Forest): TreeRow[] {
  const open = forest.wanted !== '' || isOpen(node, place, forest.folds);
  const below = open ? node.children.flatMap((child, i) => treeRows(child, `${place}.${i}`, depth + 1, forest)) : [];
  if (below.length === 0 && !node.label.toLowerCase().includes(forest.wanted)) return [];
  return [{ place, depth, label: node.label, open, folded: node.children.length }, ...below];
}

function isOpen(node: TreeNode, place: string, { rest, own }: Folds): boolean {
  return own[place] ?? rest ?? node.open ?? false;
}

/** The place of the node that holds this one; undefined for a root. */
export function parentOf(place: string): string | undefined {
  const parts = place.split('.');
  return parts.length > 2 ? parts.slice(0, -1).join('.') : undefined;
}
