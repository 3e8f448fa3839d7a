import type { Collector } from './collectors/collector.js';
import { foundOf } from './commands/watch/census.js';
import { readNodeProcess } from './inspector/node-processes.js';
import type { EvidenceKind } from './model/evidence/index.js';
import type { Normal } from './model/evidence/normal.js';
import { recall } from './stores/watch-memory.js';

/** With what `lens watch` remembers below `home` as one more reading; without a home nothing is remembered. */
export function withNormal(
  collectors: ReadonlyMap<EvidenceKind, Collector>,
  home: string | undefined,
): ReadonlyMap<EvidenceKind, Collector> {
  const reading: Collector<'normal'> = {
    kind: 'normal',
    title: 'What is normal',
    cost: 'free',
    collect: async session => ({ data: home === undefined ? NOTHING : await remembered(home, session.target.pid) }),
  };
  // A collector's params belong to its own kind; the probe only hands it that kind's.
  return new Map([...collectors, ['normal', reading as unknown as Collector]]);
}

const NOTHING: Normal = { baselines: {}, open: [] };

/** Twins of one application (cluster workers) are alike: the first one's memory speaks for all. */
async function remembered(home: string, pid: number): Promise<Normal> {
  const process = await readNodeProcess(pid);
  if (!process) return NOTHING;
  const { baselines, open } = recall(home, `${foundOf(process).fingerprint}-0`);
  const learnedAt = Math.max(...[...baselines.values()].map(({ updatedAt }) => updatedAt));
  return {
    baselines: Object.fromEntries(baselines),
    open,
    ...(Number.isFinite(learnedAt) && { learnedAt }),
  };
}
