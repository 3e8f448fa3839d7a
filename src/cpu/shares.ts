import { fromFrames, type Mechanism } from './mechanism.js';
import type { CallTree } from './tree.js';
import { isWork, type Weights, weigh } from './weights.js';

/** Weighs only the samples whose frames (not lines) tell of one mechanism, wherever they were called from. */
export function topShare(tree: CallTree, mechanism: Mechanism): Weights {
  const told = new Int8Array(tree.nodeCount);
  return weigh(tree, at => {
    const node = tree.sampleNode[at]!;
    told[node] ||= isWork(tree, node) && fromFrames(tree, node, -1)?.mechanism === mechanism ? 1 : -1;
    return told[node] === 1;
  });
}
