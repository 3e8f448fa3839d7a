import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { handlersOf } from '../source/routes.js';
import { ScriptText } from '../source/script.js';
import { isUserCode } from '../source/url.js';
import { type Block, longestMs } from './blocking.js';
import { locate } from './place.js';

/** The reading that those who look at waiting take as well. */
const TRAFFIC = { seconds: 3 } as const;
const TRAFFIC_STAYS_MS = 60_000;
const SCRIPTS_STAY_MS = 60_000;
/** Every request of the route takes this part of the longest block at least; others only now and then, behind it. */
const BLOCK_SHARE = 0.5;

/**
 * A framework that makes the answer of what a handler returned blocks with nobody of the application on the stack: then
 * the handler is named whose route alone is as slow as the block. The block as it is where that isn't known.
 */
export async function* withRoute(see: OperatorView, block: Block): Step<Block> {
  const { cause } = block;
  // Of a framework the application's call is known as well, but that one started it: it asks for no answer.
  const isKnown = cause.entry !== undefined && cause.mechanism !== 'serialization';
  if (cause.blame.frame.kind !== 'package' || cause.users.length > 0 || isKnown) return block;
  const route = yield* slowRoute(see, BLOCK_SHARE * longestMs(block.stalled));
  const place = route === undefined ? undefined : yield* handlerPlace(see, route);
  if (!place) return block;
  const owner = cause.blame.frame.package;
  return {
    ...block,
    cause: { ...cause, place: { ...place, ...(owner && { package: owner }) }, entry: cause.entry ?? cause.place },
  };
}

/** The one route whose quickest request lasts so long; undefined when there are none or several. */
async function* slowRoute(see: OperatorView, leastMs: number): Step<string | undefined> {
  const traffic = yield* see.ask('traffic', TRAFFIC, TRAFFIC_STAYS_MS);
  if (!isUsable(traffic)) return undefined;
  const quickest = new Map<string, number>();
  for (const { method, route, at, end, aborted } of traffic.data.requests) {
    if (end === 0 || aborted) continue;
    quickest.set(`${method} ${route}`, Math.min(end - at, quickest.get(`${method} ${route}`) ?? Infinity));
  }
  const [slow, ...others] = [...quickest].filter(([, ms]) => ms >= leastMs);
  return others.length === 0 ? slow?.[0].replace(/^\S+ /, '') : undefined;
}

/** Where the application gives the framework the handler of that route; undefined when two places fit alike. */
export async function* handlerPlace(see: OperatorView, route: string): Step<CodeLocation | undefined> {
  const reading = yield* see.ask('scripts', {}, SCRIPTS_STAY_MS);
  const scripts = isUsable(reading) ? reading.data.scripts.filter(({ url }) => isUserCode(url)) : [];
  const found = scripts
    .flatMap(source => handlersOf(source.text, route).map(handler => ({ source, handler })))
    .sort((a, b) => b.handler.fit - a.handler.fit);
  const [best, next] = found;
  if (!best || best.handler.fit === next?.handler.fit) return undefined;
  const script = new ScriptText(best.source);
  const { line0, column0 } = best.handler;
  const functionName = script.functionName(line0, column0, '');
  const spot = { scriptId: '', url: script.url, line: line0, column: column0 };
  return locate(script, { ...spot, ...(functionName && { functionName }) }, see.target.cwd);
}
