import { sayBytes, sayCount, sayMs } from '../../base/say.js';
import type { CollectionGrowth, Container, PathStep } from '../../model/evidence/collection-growth.js';
import type { EvidenceSection } from '../../tui/world.js';

export function growthSections(data: CollectionGrowth): EvidenceSection[] {
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
