import { filePath } from '../base/script-url.js';
import type { Session } from '../inspector/session.js';

export interface ScriptIds {
  readonly ids: ReadonlyMap<string, string>;
  /** Zero when an earlier visit had brought them. */
  readonly pausedMs: number;
}

const known = new WeakMap<Session, ReadonlyMap<string, string>>();

/**
 * Script ids by file path (call sites name a CommonJS file by its path, the protocol by its url): call sites in the target know urls, source texts are asked for by id. The newest script of a url
 * wins. One short Debugger visit a session, and another when a url is missing.
 */
export async function scriptIds(session: Session, urls: Iterable<string>): Promise<ScriptIds> {
  const before = known.get(session);
  if (before !== undefined && [...urls].every(url => before.has(filePath(url)))) return { ids: before, pausedMs: 0 };
  return session.withDebugger(async debug => {
    const ids = new Map([...debug.scripts].map(([id, { url }]) => [filePath(url), id]));
    known.set(session, ids);
    return { ids, pausedMs: debug.pausedMs };
  });
}
