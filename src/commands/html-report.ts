import { callTree } from '../cpu/tree.js';
import { weigh } from '../cpu/weights.js';
import type { CpuProfile } from '../model/evidence/cpu-profile.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import { type HtmlExtras, htmlOf } from '../report/html.js';
import type { RunState } from '../report/state.js';
import { flameOf } from './evidence/profile.js';
import { retainingTrees } from './evidence/view.js';

/** The run as one self-contained page; the newest CPU profile among the evidence becomes its flame graph, the newest heapSnapshot its retaining paths. */
export function htmlReport(run: RunState, evidence: readonly Evidence[]): string {
  return htmlOf(run, { ...flameIn(evidence), ...holdersIn(evidence) });
}

function flameIn(evidence: readonly Evidence[]): Pick<HtmlExtras, 'flame'> {
  const newest = evidence.findLast(e => e.kind === 'cpu-profile' && isUsable(e) && hasNodes(e.data));
  if (!newest) return {};
  const tree = callTree((newest.data as CpuProfile).profile);
  return { flame: { evidenceId: newest.id, root: flameOf(tree, weigh(tree)) } };
}

function holdersIn(evidence: readonly Evidence[]): Pick<HtmlExtras, 'holders'> {
  const newest = evidence.findLast(e => e.kind === 'heap-snapshot' && isUsable(e));
  const roots = newest ? retainingTrees(newest) : [];
  return newest && roots.length > 0 ? { holders: { evidenceId: newest.id, roots } } : {};
}

/** A recorded file may be anything: only what has a profile's shape is drawn. */
function hasNodes(data: unknown): boolean {
  const profile = (data as { readonly profile?: { readonly nodes?: unknown } } | undefined)?.profile;
  return Array.isArray(profile?.nodes) && profile.nodes.length > 0;
}
