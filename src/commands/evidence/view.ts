import { sayMs } from '../../base/say.js';
import type { Evidence } from '../../model/evidence/index.js';
import type { EvidenceSection, EvidenceView, TreeNode } from '../../tui/world.js';
import { fields } from './fields.js';
import { growthSections } from './growth.js';
import { handlesSections } from './handles.js';
import { exceptionsSections, inFlightSections, logsSections, suspendedSections } from './happenings.js';
import { heapSections, RETAINING } from './heap.js';
import { profileSections, samplingSections } from './profile.js';
import { vitalsSections } from './vitals.js';

type Views = { readonly [kind: string]: (data: never) => EvidenceSection[] };

/** Kinds with a picture of their own; the others are shown as a tree of their fields. */
const VIEWS: Views = {
  'cpu-profile': profileSections,
  'heap-sampling': samplingSections,
  'collection-growth': growthSections,
  handles: handlesSections,
  logs: logsSections,
  exceptions: exceptionsSections,
  vitals: vitalsSections,
  'in-flight': inFlightSections,
  suspended: suspendedSections,
  'heap-snapshot': heapSections,
};

/** Makes a reading readable; data that has not the shape of its kind (an edited file, an older run) is shown raw. */
export function viewOf(evidence: Evidence): EvidenceView {
  const { id, status, reason, pausedMs, data } = evidence;
  const title = [`${id}: ${status}`, reason, pausedMs > 0 ? `stopped the target for ${sayMs(pausedMs)}` : undefined];
  const said = title.filter(Boolean).join(', ');
  if (data === undefined || data === null) return { title: said, sections: [] };
  const raw: EvidenceSection = { kind: 'tree', title: 'All fields', roots: fields(data) };
  try {
    // The table pairs each kind with its own data.
    const sections = VIEWS[evidence.kind]?.(data as never) ?? [];
    return { title: said, sections: [...sections, ...(evidence.kind === 'cpu-profile' ? [] : [raw])] };
  } catch {
    return { title: said, sections: [raw] };
  }
}

/** The retaining paths of a heapSnapshot that was read; none when it was not, or has not its shape. */
export function retainingTrees(evidence: Evidence): readonly TreeNode[] {
  const trees = viewOf(evidence).sections.flatMap(s => (s.kind === 'tree' && s.title === RETAINING ? [s] : []));
  return trees.flatMap(({ roots }) => roots);
}
