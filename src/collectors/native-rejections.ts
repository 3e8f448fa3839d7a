import { templateOf } from '../agents/logs/lines.js';
import type { RawRejection, RawRejections } from '../agents/native-rejections/raw.js';
import type { Session } from '../inspector/session.js';
import type { CaughtSample, NativeRejections, ThrowSite } from '../model/evidence/exceptions.js';
import type { CollectContext } from './collector.js';
import { toFrames } from './frames.js';
import { scriptIds } from './script-ids.js';

const AGENT = 'native-rejections';
/** What goes on failing fails in both of them. */
const WINDOWS = 2;
const WINDOW_MS = 1000;
/** There the bindings themselves reject the promises of `fs.promises`, and no debugger hears of it. */
const REJECTS_NATIVELY = /^v?1[0-9]\./;
/** What the system answered: `ENOENT: no such file or directory, open '…'`. */
const SYSTEM_ERROR = /^E[A-Z0-9]+: /;

/** True where Node's own promises may have been rejected without a stack that says who waits for them. */
export const mayRejectUnseen = ({ target }: Session, { sites }: CaughtSample): boolean =>
  REJECTS_NATIVELY.test(target.nodeVersion) ||
  sites.some(({ frames, message }) => frames.length === 0 && SYSTEM_ERROR.test(message));

/** Calls of Node's file functions whose promises were rejected in every window, by the line that called. */
export async function nativeRejections(session: Session, context: CollectContext) {
  await session.agent.install(AGENT);
  try {
    const windows: RawRejections[] = [];
    while (windows.length < WINDOWS) {
      windows.push(await context.exclusively(() => oneWindow(session, context), WINDOW_MS / 1000));
    }
    const sites = windows.map(({ rejected }) => new Set(rejected.map(keyOf)));
    const lasting = windows
      .flatMap(({ rejected }) => rejected)
      .filter(rejection => SYSTEM_ERROR.test(rejection.message) && sites.every(seen => seen.has(keyOf(rejection))));
    const seconds = windows.reduce((sum, { windowMs }) => sum + windowMs, 0) / 1000;
    const urls = lasting.flatMap(({ frames }) => frames.map(({ url }) => url));
    const { ids, pausedMs } =
      urls.length > 0 ? await scriptIds(session, urls) : { ids: new Map<string, string>(), pausedMs: 0 };
    const native: NativeRejections = { windows: WINDOWS, seconds, sites: toSites(lasting, ids, seconds) };
    const stood = [pausedMs, ...windows.map(({ stoodMs }) => stoodMs)];
    return { native, pausedMs: stood.reduce((sum, ms) => sum + ms, 0), longestPauseMs: Math.max(...stood) };
  } finally {
    await session.agent.remove(AGENT).catch(() => undefined); // a lost target took it along
  }
}

async function oneWindow(session: Session, context: CollectContext): Promise<RawRejections> {
  await session.agent.call(AGENT, 'start');
  await context.sleep(WINDOW_MS);
  return session.agent.call<RawRejections>(AGENT, 'stop');
}

function toSites(rejections: readonly RawRejection[], ids: ReadonlyMap<string, string>, seconds: number): ThrowSite[] {
  const counts = new Map<string, number>();
  for (const rejection of rejections) counts.set(keyOf(rejection), (counts.get(keyOf(rejection)) ?? 0) + 1);
  const firsts = new Map(rejections.map(rejection => [keyOf(rejection), rejection]));
  return [...firsts]
    .map(([key, { type, message, called, frames }]) => {
      const count = counts.get(key) ?? 0;
      const site = { type, message: templateOf(message), count, rejection: true, uncaught: false };
      return { ...site, frames: toFrames(frames, ids), byNode: called, perSecond: count / seconds };
    })
    .sort((a, b) => b.count - a.count);
}

const keyOf = ({ called, frames: [top] }: RawRejection): string => `${called} ${top?.url}:${top?.line}:${top?.column}`;
