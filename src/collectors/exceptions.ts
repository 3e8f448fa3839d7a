import type { RawError, RawExceptions } from '../agents/exceptions/raw.js';
import { templateOf } from '../agents/logs/lines.js';
import type { Session } from '../inspector/session.js';
import type { Exceptions, ThrowSite } from '../model/evidence/exceptions.js';
import type { CollectContext, Collector } from './collector.js';
import { toFrames } from './frames.js';
import { mayRejectUnseen, nativeRejections } from './native-rejections.js';
import { scriptIds } from './script-ids.js';
import { parseStack } from './stack-text.js';
import { debugsItself, MAX_PAUSED_MS, sampleThrows } from './throws.js';

const DEFAULT_SECONDS = 5;

/** Exceptions nobody caught and rejections nobody handled; on demand a few samples of what is thrown and caught. */
export const exceptionsCollector: Collector<'exceptions'> = {
  kind: 'exceptions',
  title: 'Exceptions',
  cost: 'light',
  async collect(session, { seconds = DEFAULT_SECONDS, caught = false }, context) {
    await session.agent.install('exceptions');
    await session.agent.call('exceptions', 'start');
    const mayPause = caught && context.mayPause(MAX_PAUSED_MS, 'stopping at a few exceptions');
    const mayStop = mayPause && !(await debugsItself(session));
    try {
      const sampled = await window(session, seconds, mayStop, context);
      const isUnseen = sampled && mayRejectUnseen(session, sampled.caught) && !context.causeKnown?.();
      const native = isUnseen ? await nativeRejections(session, context) : undefined;
      const raw = await session.agent.call<RawExceptions>('exceptions', 'stop');
      const told = await toExceptions(session, raw);
      return {
        data: { ...told.data, ...(sampled && { caught: sampled.caught }), ...(native && { native: native.native }) },
        pausedMs: told.pausedMs + (sampled?.pausedMs ?? 0) + (native?.pausedMs ?? 0),
        longestPauseMs: Math.max(told.pausedMs, sampled?.longestPauseMs ?? 0, native?.longestPauseMs ?? 0),
        ...(caught && !mayStop
          ? { partial: `Caught exceptions were not sampled: ${mayPause ? DEBUGS_ITSELF : REFUSED}.` }
          : {}),
      };
    } catch (error) {
      await session.agent.call('exceptions', 'stop').catch(() => undefined); // a lost target needs no stopping
      throw error;
    }
  },
};

const REFUSED = 'the pause was refused';
const DEBUGS_ITSELF = 'the program has a debugger of its own';

async function window(session: Session, seconds: number, mayStop: boolean, context: CollectContext) {
  if (mayStop) return sampleThrows(session, seconds, context);
  await context.sleep(seconds * 1000);
  return undefined;
}

async function toExceptions(session: Session, raw: RawExceptions): Promise<{ data: Exceptions; pausedMs: number }> {
  const all = [...raw.uncaught.errors, ...raw.rejections.errors];
  const urls = all.flatMap(({ stack }) => parseStack(stack).map(({ url }) => url));
  const { ids, pausedMs } =
    urls.length > 0 ? await scriptIds(session, urls) : { ids: new Map<string, string>(), pausedMs: 0 };
  const sites = (errors: readonly RawError[], rejection: boolean) =>
    merged(errors.map(error => toSite(error, rejection, ids)));
  return {
    data: {
      seconds: raw.windowMs / 1000,
      uncaught: { count: raw.uncaught.count, sites: sites(raw.uncaught.errors, false) },
      rejections: {
        listening: raw.rejections.listening,
        count: raw.rejections.count,
        sites: sites(raw.rejections.errors, true),
      },
    },
    pausedMs,
  };
}

function toSite(
  { type, message, stack, count }: RawError,
  rejection: boolean,
  ids: ReadonlyMap<string, string>,
): ThrowSite {
  const template = templateOf(message.split('\n')[0] ?? '');
  return { type, message: template, count, rejection, uncaught: true, frames: toFrames(parseStack(stack), ids) };
}

/** Messages differ by their values: one site per type, template and innermost frame. */
function merged(sites: readonly ThrowSite[]): ThrowSite[] {
  const byPlace = new Map<string, ThrowSite>();
  for (const site of sites) {
    const [top] = site.frames;
    const key = `${site.type} ${site.message} ${top ? `${top.url}:${top.line}` : ''}`;
    byPlace.set(key, { ...site, count: site.count + (byPlace.get(key)?.count ?? 0) });
  }
  return [...byPlace.values()].sort((a, b) => b.count - a.count);
}
