import { z } from 'zod';
import { sayBytes, sayCount, sayMs } from '../base/say.js';
import { holderOf } from '../heap/growth/holder.js';
import { sortGrowth } from '../heap/growth/suspects.js';
import type { CollectionGrowth, SizedContainer } from '../model/evidence/collection-growth.js';
import { isUsable } from '../model/evidence/index.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';

/** Sizes of collections; leaks among them are concluded by heap, so that one cause is reported once. */
export const collections = defineSkill({
  id: 'collections',
  title: 'Collections',
  description: 'The biggest maps, sets, arrays, dictionaries and module caches, by name',
  scope: 'How big the collections of the main thread are and who holds them. Leaks among them are concluded by heap.',
  words: ['collection', 'collections', 'map', 'cache', 'array', 'set', 'dictionary', 'size', 'unbounded'],
  needs: {},
  snapshot: () => undefined,
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'biggest_collections',
      doc: 'The biggest collections by rough bytes, with holder, kind and size; takes 20 s the first time.',
      params: z.object({ top: z.number().int().min(1).max(12).default(8) }),
      async run({ top }, probe) {
        const reading = await probe.ask('collection-growth', GROWTH_PARAMS, { freshMs: GROWTH_STAYS_MS });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return reading.data.biggest.slice(0, top).map(row => ({
          holder: holderOf(row).text,
          package: holderOf(row).package ?? null,
          kind: row.kind,
          size: row.size,
          bytes: row.bytes,
          entry: row.entry.text,
        }));
      },
    }),
    defineQuery({
      name: 'modules_loaded',
      doc: 'How many CommonJS and ES modules of the application and of packages are loaded.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('collection-growth', GROWTH_PARAMS, { freshMs: GROWTH_STAYS_MS });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return { ...reading.data.modules };
      },
    }),
  ],
  prompt: 'A big collection that rests is no fault. Rough bytes are size times the marginal bytes of one entry.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const reading = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  if (!isUsable(reading)) {
    return { outcome: 'inconclusive', summary: `Collections could not be read: ${reading.reason ?? 'no reason'}.` };
  }
  const { data } = reading;
  const growing = sortGrowth(data).leaking.length;
  if (growing > 0) yield* see.setState('observing', `${growing} of them grow; heap says whether that is a leak`);
  return { outcome: 'healthy', summary: `${biggestSentence(data)}${unlistedSentence(data)}` };
}

function biggestSentence({ biggest, walks, seconds }: CollectionGrowth): string {
  const [top] = biggest;
  const seen = `${sayCount(walks[0]?.containers ?? 0)} containers seen in ${sayMs(seconds * 1000)}`;
  if (!top) return `${seen}; none holds more than a few hundred entries.`;
  return `${seen}; the biggest is ${sayContainer(top)}.`;
}

const sayContainer = (row: SizedContainer): string =>
  `\`${holderOf(row).text}\` with ${sayCount(row.size)} entries (roughly ${sayBytes(row.bytes)})`;

function unlistedSentence({ unlisted }: CollectionGrowth): string {
  const [keys] = unlisted;
  return keys === undefined ? '' : ` A dictionary of about ${sayCount(keys)} keys was too big to list without a pause.`;
}
