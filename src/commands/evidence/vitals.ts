import { sayBytes, sayCount, sayMs, sayShare } from '../../base/say.js';
import type { Vitals } from '../../model/evidence/vitals.js';
import type { Curve, EvidenceSection } from '../../tui/world.js';

export function vitalsSections(data: Vitals): EvidenceSection[] {
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
