import { sayBytes, sayCount, sayMs, sayShare } from '../base/say.js';
import { type CallTree, callTree, frameAt, frameName } from '../cpu/tree.js';
import { byFunction, byPackage, type Weights, weigh } from '../cpu/weights.js';
import type { CollectionGrowth, Container, PathStep } from '../model/evidence/collection-growth.js';
import type { CpuProfile } from '../model/evidence/cpu-profile.js';
import type { Exceptions, ThrowSite } from '../model/evidence/exceptions.js';
import type { Counts, CreatorFrame, Handles } from '../model/evidence/handles.js';
import type { HeapSampling, V8SamplingNode } from '../model/evidence/heap-sampling.js';
import type { GrownHeapHolder, HeapHolder, HeapSnapshotFile } from '../model/evidence/heap-snapshot.js';
import type { InFlight } from '../model/evidence/in-flight.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Logs } from '../model/evidence/logs.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { FlameNode } from '../report/flame.js';
import type { Curve, EvidenceSection, EvidenceView, TreeNode } from '../tui/world.js';

/** What fits on a screen and is still worth reading. */
const TOP = 40;
const MAX_TREE_DEPTH = 5;
const MAX_LIST = 40;
/** Frames below this share of the profile are too narrow for any terminal. */
const MIN_FLAME_SHARE = 0.005;
/** Branches below this share of the profile would bury the others. */
const MIN_TREE_SHARE = 0.005;
/** Branches from this share on are unfolded at once: the way to what burns the time. */
const OPEN_TREE_SHARE = 0.2;

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
  'heap-snapshot': heapSections,
};

/** Makes a reading readable; data that has not the shape of its kind (an edited file, an older run) is shown raw. */
export function viewOf(evidence: Evidence): EvidenceView {
  const { id, status, reason, pausedMs, data } = evidence;
  const title = [`${id}: ${status}`, reason, pausedMs > 0 ? `stopped the target for ${sayMs(pausedMs)}` : undefined];
  const said = title.filter(Boolean).join(', ');
  if (data === undefined || data === null) return { title: said, sections: [] };
  const raw: EvidenceSection = { kind: 'tree', title: 'All fields', roots: fields(data, 0) };
  try {
    // The table pairs each kind with its own data.
    const sections = VIEWS[evidence.kind]?.(data as never) ?? [];
    return { title: said, sections: [...sections, ...(evidence.kind === 'cpu-profile' ? [] : [raw])] };
  } catch {
    return { title: said, sections: [raw] };
  }
}

function profileSections({ profile }: CpuProfile): EvidenceSection[] {
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

function samplingSections({ head, bytes }: HeapSampling): EvidenceSection[] {
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

/** Suspects as a table, then each with its retaining path as a tree: from the root down to what it holds. */
function heapSections({ path, bytes, tookMs, reading }: HeapSnapshotFile): EvidenceSection[] {
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

/** The retaining paths of a heapSnapshot that was read; none when it was not, or has not its shape. */
export function retainingTrees(evidence: Evidence): readonly TreeNode[] {
  const trees = viewOf(evidence).sections.flatMap(s => (s.kind === 'tree' && s.title === RETAINING ? [s] : []));
  return trees.flatMap(({ roots }) => roots);
}

const RETAINING = 'Retaining paths';

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

function growthSections(data: CollectionGrowth): EvidenceSection[] {
  return [
    {
      kind: 'table',
      title:
        data.growing.length > 0
          ? `Growing, ${data.grewCount} in all, over ${sayMs(data.seconds * 1000)}`
          : 'Nothing grew',
      columns: ['entries', 'per s', 'bytes per s', 'what', 'path'],
      rows: data.growing.map(c => [
        sayCount(c.size),
        `+${c.perSecond.toFixed(1)}`,
        sayBytes(c.bytesPerSecond),
        `${c.className} of ${c.entry.text}`,
        pathText(c),
      ]),
    },
    {
      kind: 'curve',
      title: 'Sizes over the window',
      series: data.growing.map(c => ({
        name: lastName(c),
        values: c.sizes.map(size => size ?? Number.NaN),
        said: sayCount(c.size),
      })),
    },
    {
      kind: 'table',
      title: 'Biggest, whether they grow or not',
      columns: ['bytes', 'entries', 'what', 'path'],
      rows: data.biggest.map(c => [
        sayBytes(c.bytes),
        sayCount(c.size),
        `${c.className} of ${c.entry.text}`,
        pathText(c),
      ]),
    },
  ];
}

const pathText = ({ path }: Container): string => path.map(stepText).join(' → ');
const lastName = ({ path }: Container): string => path.map(stepText).at(-1) ?? '?';

function stepText(step: PathStep): string {
  switch (step.kind) {
    case 'root':
    case 'internal':
      return step.name;
    case 'variable':
      return `${step.scope === 'module' ? '' : 'closure '}${step.name}`;
    case 'property':
    case 'getter':
      return `.${step.name}`;
    case 'private':
      return `.${step.name.startsWith('#') ? '' : '#'}${step.name}`;
    case 'index':
      return `[${step.index}]`;
    case 'element':
      return '[…]';
    case 'map-value':
      return step.key === undefined ? 'a value' : `value of ${step.key}`;
    default:
      return step.kind;
  }
}

function handlesSections(data: Handles): EvidenceSection[] {
  const last = (counts: Counts) => counts.at(-1) ?? Number.NaN;
  const change = (counts: Counts) => {
    const difference = last(counts) - (counts[0] ?? 0);
    return `${difference >= 0 ? '+' : ''}${difference}`;
  };
  const row = (what: string, counts: Counts, about: string) => [String(last(counts)), change(counts), what, about];
  return [
    {
      kind: 'table',
      title: `What keeps the loop alive, over ${sayMs(data.seconds * 1000)}`,
      columns: ['now', 'change', 'what', 'about'],
      rows: [
        ...data.timers.map(t => row(`timer ${t.repeat ? 'every' : 'in'} ${sayMs(t.ms)}`, t.counts, t.name)),
        ...data.sockets.map(s => row(`socket ${s.direction}`, s.counts, `${s.peer}, ${s.idle} idle, ${s.busy} busy`)),
        ...data.others.map(o => row(o.type, o.counts, o.name ?? '')),
        ...(data.descriptors?.groups ?? []).map(d => row(`descriptor ${d.kind}`, d.counts, d.target)),
      ],
    },
    {
      kind: 'curve',
      title: 'Active resources',
      series: Object.entries(data.resources).map(
        ([name, values]): Curve => ({ name, values, said: String(last(values)) }),
      ),
    },
    ...(data.creators ? [creatorTable(data.creators)] : []),
  ];
}

function creatorTable(creators: NonNullable<Handles['creators']>): EvidenceSection {
  return {
    kind: 'table',
    title: 'Who made them in the window',
    columns: ['made', 'still open', 'type', 'where'],
    rows: creators.map(c => [String(c.count), `${c.alive} of ${c.followed}`, c.type, frameText(c.frames[0])]),
  };
}

function frameText(frame: CreatorFrame | undefined): string {
  return frame ? `${frame.functionName || '(anonymous)'} ${frame.url}:${frame.line + 1}` : '';
}

function logsSections(data: Logs): EvidenceSection[] {
  return [
    {
      kind: 'table',
      title: `${sayCount(data.lines)} lines, ${sayBytes(data.bytes)} in ${sayMs(data.seconds * 1000)}`,
      columns: ['lines', 'level', 'template', 'where'],
      rows: data.groups.map(g => [sayCount(g.count), g.level, g.template, frameText(g.frames[0])]),
    },
    {
      kind: 'table',
      title: 'Newest first',
      columns: ['time', 'level', 'message'],
      rows: data.recent.map(r => [new Date(r.at).toISOString().slice(11, 23), r.level, r.message]),
    },
  ];
}

function exceptionsSections(data: Exceptions): EvidenceSection[] {
  const table = (title: string, sites: readonly ThrowSite[]): EvidenceSection => ({
    kind: 'table',
    title,
    columns: ['count', 'type', 'message', 'where'],
    rows: sites.map(s => [sayCount(s.count), s.type, s.message, frameText(s.frames[0])]),
  });
  return [
    table(`Caught by nobody: ${data.uncaught.count}`, data.uncaught.sites),
    table(`Rejections nobody handled: ${data.rejections.count}`, data.rejections.sites),
    ...(data.caught ? [table('Thrown and caught, by sample', data.caught.sites)] : []),
  ];
}

function vitalsSections(data: Vitals): EvidenceSection[] {
  const curve = (name: string, of: (s: Vitals['samples'][number]) => number, say: (v: number) => string): Curve => {
    const values = data.samples.map(of);
    return { name, values, said: say(values.at(-1) ?? Number.NaN) };
  };
  return [
    {
      kind: 'curve',
      title: `Over ${sayMs(data.seconds * 1000)}`,
      series: [
        curve('resident', s => s.rssBytes, sayBytes),
        curve('heap used', s => s.heapUsedBytes, sayBytes),
        curve('external', s => s.externalBytes, sayBytes),
        curve('loop busy', s => s.elu, sayShare),
        curve(
          'cpu',
          s => s.cpuPercent,
          v => `${Math.round(v)} %`,
        ),
      ],
    },
    {
      kind: 'table',
      title: 'Collections',
      columns: ['count', 'total', 'longest', 'kind'],
      rows: data.gc.map(g => [sayCount(g.count), sayMs(g.totalMs), sayMs(g.maxMs), g.kind]),
    },
    {
      kind: 'text',
      title: 'Loop delay',
      lines: [
        `median ${sayMs(data.loopDelay.p50Ms)}, 99 % ${sayMs(data.loopDelay.p99Ms)}, longest ${sayMs(data.loopDelay.maxMs)}`,
      ],
    },
  ];
}

function inFlightSections(data: InFlight): EvidenceSection[] {
  return [
    {
      kind: 'table',
      title: 'Requests the program is working on',
      columns: ['open', 'longest', 'method', 'route'],
      rows: data.routes.map(r => [String(r.count), sayMs(r.heldMs), r.method, r.route]),
    },
    {
      kind: 'table',
      title: 'Calls it waits for',
      columns: ['open', 'state', 'method', 'where'],
      rows: data.outgoing.map(o => [String(o.count), o.state, o.method, `${o.host}${o.path}`]),
    },
  ];
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
