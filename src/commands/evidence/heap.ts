import { sayBytes, sayCount, sayMs, sayShare } from '../../base/say.js';
import type { GrownHeapHolder, HeapHolder, HeapSnapshotFile } from '../../model/evidence/heap-snapshot.js';
import type { EvidenceSection, TreeNode } from '../../tui/world.js';

/** The title of the section with the paths. */
export const RETAINING = 'Retaining paths';

/** Suspects as a table, then each with its retaining path as a tree: from the root down to what it holds. */
export function heapSections({ path, bytes, tookMs, reading }: HeapSnapshotFile): EvidenceSection[] {
  const file: EvidenceSection = {
    kind: 'text',
    title: 'The file, for DevTools',
    lines: [path, `${sayBytes(bytes)}, taken in ${sayMs(tookMs)}`],
  };
  if (!reading) return [file];
  const grown = reading.growth?.holders ?? [];
  return [
    {
      kind: 'table',
      title: `Who holds much of ${sayBytes(reading.totalBytes)} in ${sayCount(reading.objects)} objects`,
      columns: ['retained', 'share', 'class', 'path'],
      rows: reading.suspects.map(s => [sayBytes(s.retainedBytes), sayShare(s.share), s.class, s.path]),
    },
    ...(grown.length > 0 ? [grownTable(grown)] : []),
    { kind: 'tree', title: RETAINING, roots: [...grown, ...reading.suspects].map(retainingTree) },
    file,
  ];
}

function grownTable(holders: readonly GrownHeapHolder[]): EvidenceSection {
  return {
    kind: 'table',
    title: 'What gained while it was watched',
    columns: ['gained', 'new entries', 'class', 'path'],
    rows: holders.map(h => [sayBytes(h.grownBytes), sayCount(h.newChildren), h.class, h.path]),
  };
}

/** One holder in a line; unfolded, the path that keeps it from the root down, and what it holds. */
function retainingTree(holder: HeapHolder, index: number): TreeNode {
  const { via, class: name, retainedBytes, share, path, content } = holder;
  const held: TreeNode[] = content
    ? [{ label: `holds ${sayCount(content.count)} × ${content.what}, ${sayBytes(content.bytes)}`, children: [] }]
    : [];
  const end: TreeNode = { label: `${name}, retains ${sayBytes(retainedBytes)}`, children: held, open: true };
  const chain = via.reduceRight<TreeNode>((below, step) => ({ label: step, children: [below], open: true }), end);
  const label = `${sayBytes(retainedBytes)}, ${sayShare(share)}  ${name} ${path}`;
  return { label, children: [chain], open: index === 0 };
}
