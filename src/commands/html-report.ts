import { callTree } from '../cpu/tree.js';
import { weigh } from '../cpu/weights.js';
import type { CpuProfile } from '../model/evidence/cpu-profile.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import { htmlOf } from '../report/html.js';
import type { RunState } from '../report/state.js';
import { flameOf } from './evidence-view.js';

/** The run as one self-contained page; the newest CPU profile among the evidence becomes its flame graph. */
export function htmlReport(run: RunState, evidence: readonly Evidence[]): string {
  const newest = evidence.findLast(e => e.kind === 'cpu-profile' && isUsable(e) && hasNodes(e.data));
  if (!newest) return htmlOf(run, {});
  const tree = callTree((newest.data as CpuProfile).profile);
  return htmlOf(run, { flame: { evidenceId: newest.id, root: flameOf(tree, weigh(tree)) } });
}

/** A recorded file may be anything: only what has a profile's shape is drawn. */
function hasNodes(data: unknown): boolean {
  const profile = (data as { readonly profile?: { readonly nodes?: unknown } } | undefined)?.profile;
  return Array.isArray(profile?.nodes) && profile.nodes.length > 0;
}
