import { sayMs } from '../../base/say.js';
import type { Counts, CreatorFrame, Handles } from '../../model/evidence/handles.js';
import type { Curve, EvidenceSection } from '../../tui/world.js';

export function handlesSections(data: Handles): EvidenceSection[] {
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

/** A function with its file and line, 1-based; empty where nobody was on the stack. */
export function frameText(frame: CreatorFrame | undefined): string {
  return frame ? `${frame.functionName || '(anonymous)'} ${frame.url}:${frame.line + 1}` : '';
}
