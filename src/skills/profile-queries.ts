import { z } from 'zod';
import { blame } from '../cpu/blame.js';
import { stalls } from '../cpu/stalls.js';
import { type CallTree, callTree, type Frame, frameAt, frameName } from '../cpu/tree.js';
import { byFunction, byPackage, weigh } from '../cpu/weights.js';
import { isUsable } from '../model/evidence/index.js';
import type { Json } from '../model/json.js';
import type { Probe } from '../model/probe.js';
import { defineQuery } from '../model/skill.js';
import { filePath } from '../source/url.js';
import { weighStalls } from './study.js';

const INTERVAL_US = 1000;
const seconds = z.number().int().min(1).max(15).default(5);
const limit = z.number().int().min(1).max(50).default(15);

async function profiled(probe: Probe, length: number): Promise<CallTree | Json> {
  const reading = await probe.ask('cpu-profile', { seconds: length, intervalUs: INTERVAL_US }, { freshMs: 30_000 });
  return isUsable(reading) ? callTree(reading.data.profile) : { status: reading.status, reason: reading.reason ?? '' };
}

const isTree = (answer: CallTree | Json): answer is CallTree =>
  typeof answer === 'object' && answer !== null && 'sampleNode' in answer;

const where = (frame: Frame): string => (frame.url === '' ? frame.kind : `${filePath(frame.url)}:${frame.line + 1}`);
const ms = (us: number): number => Math.round(us / 100) / 10;

/** The functions with most time of their own. */
export const topFunctions = defineQuery({
  name: 'top_functions',
  doc: 'Functions with most self time in a CPU profile: name, place, self and total milliseconds, package.',
  params: z.object({ seconds, limit }),
  async run(params, probe) {
    const tree = await profiled(probe, params.seconds);
    if (!isTree(tree)) return tree;
    const times = byFunction(tree, weigh(tree)).slice(0, params.limit);
    return times.map(({ frame, selfUs, totalUs }) => ({
      function: frameName(frame),
      where: where(frame),
      selfMs: ms(selfUs),
      totalMs: ms(totalUs),
      ...(frame.package ? { package: frame.package } : {}),
    }));
  },
});

/** Self time by owner. */
export const packages = defineQuery({
  name: 'cpu_by_package',
  doc: 'Self time by package, Node and the application in a CPU profile, in milliseconds.',
  params: z.object({ seconds, limit }),
  async run(params, probe) {
    const tree = await profiled(probe, params.seconds);
    if (!isTree(tree)) return tree;
    return byPackage(tree, weigh(tree))
      .slice(0, params.limit)
      .map(({ name, selfUs }) => ({ name, selfMs: ms(selfUs) }));
  },
});

/** Lines with most self time. */
export const hotLines = defineQuery({
  name: 'hot_lines',
  doc: 'Source lines (of the running text) with most self time in a CPU profile.',
  params: z.object({ seconds, limit }),
  async run(params, probe) {
    const tree = await profiled(probe, params.seconds);
    return isTree(tree) ? lines(tree).slice(0, params.limit) : tree;
  },
});

function lines(tree: CallTree): { function: string; where: string; samples: number }[] {
  const sums = new Map<string, { function: string; where: string; samples: number }>();
  for (let node = 0; node < tree.nodeCount; node++) {
    const frame = frameAt(tree, node);
    for (const { line, ticks } of (frame.url && tree.ticks[node]) || []) {
      const place = `${filePath(frame.url)}:${line}`;
      const known = sums.get(place) ?? { function: frameName(frame), where: place, samples: 0 };
      sums.set(place, { ...known, samples: known.samples + ticks });
    }
  }
  return [...sums.values()].sort((a, b) => b.samples - a.samples);
}

/** Stretches without idle, each with the function it is laid to. */
export const longTasks = defineQuery({
  name: 'long_tasks',
  doc: 'Stretches of a CPU profile in which the event loop could not turn for at least minMs, with the user function they are laid to.',
  params: z.object({ seconds, minMs: z.number().int().min(5).max(5000).default(40), limit }),
  async run(params, probe) {
    const tree = await profiled(probe, params.seconds);
    if (!isTree(tree)) return tree;
    const found = stalls(tree, params.minMs * 1000).sort((a, b) => b.durationUs - a.durationUs);
    return found.slice(0, params.limit).map(stall => {
      const who = blame(tree, weighStalls(tree, [stall]))?.frame;
      return {
        atMs: ms(stall.atUs),
        ms: ms(stall.durationUs),
        gcMs: ms(stall.gcUs),
        function: who ? frameName(who) : '',
        where: who ? where(who) : '',
      };
    });
  },
});
