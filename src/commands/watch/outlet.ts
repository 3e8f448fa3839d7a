import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LensError } from '../../model/error.js';
import type { WatchEvent, WatchEventBody } from '../../model/watch-event.js';
import { fileJournal, memoryJournal } from '../../sinks/journal.js';
import { SinkQueue } from '../../sinks/queue.js';
import type { Sink } from '../../sinks/sink.js';
import { makeDirectory } from '../../stores/make-directory.js';
import { tellUntold } from '../../stores/watch-memory.js';
import type { SinkSettings } from '../settings.js';
import { eachSink, openSink, type SinkSeat } from './open-sink.js';

export interface OutletOptions extends SinkSeat {
  readonly watch: string;
  readonly home: string;
  readonly sinks: readonly SinkSettings[];
  /** Shows each event here: a line of text or JSON, or a screen. */
  readonly show: (event: WatchEvent) => void;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Where events go: stdout, and every sink through a queue of its own. */
export interface Outlet {
  emit(event: WatchEventBody): void;
  /** Other sinks from now on; one that stays keeps its queue. What a sink that goes had waiting stays on disk. */
  setSinks(sinks: readonly SinkSettings[]): Promise<void>;
  readonly dropped: { readonly [sink: string]: number };
  readonly waiting: { readonly [sink: string]: number };
  /** Gives the sinks a moment to take what waits; what they don't take stays on disk for the next watch. */
  close(): Promise<void>;
}

const LEAVE_WITHIN_MS = 5_000;
/** A sink in memory is as near as this process. */
const MEMORY_EVENTS = 1_000;

export async function openOutlet(options: OutletOptions): Promise<Outlet> {
  let seq = 0;
  const home = claimJournals(options.home);
  const queues = new Map<string, SinkQueue>();
  const told = (body: WatchEventBody): WatchEvent => {
    const event: WatchEvent = { at: options.now(), watch: options.watch, seq: seq++, ...body };
    options.show(event);
    return event;
  };
  const emit = (body: WatchEventBody): void => {
    const event = told(body);
    for (const queue of queues.values()) queue.push(event);
  };
  const env = {
    sleep: options.sleep,
    random: options.random,
    onFailure: (sink: string, message: string) => emit({ type: 'failure', where: `sink ${sink}`, message }),
  };
  const queueFor = (settings: SinkSettings, sink: Sink): SinkQueue => {
    const journal =
      settings.type === 'prometheus' ? memoryJournal(MEMORY_EVENTS) : fileJournal(fileOf(home.path, settings));
    const queue = new SinkQueue(sink, journal, env);
    queues.set(keyOf(settings), queue);
    return queue;
  };
  const all = (read: (queue: SinkQueue) => number) =>
    Object.fromEntries([...queues.values()].map(queue => [queue.sink.name, read(queue)]));
  const sinks = new Map<SinkSettings, Sink>();
  for (const settings of eachSink(options.sinks)) sinks.set(settings, await openSink(settings, options));
  // In one go: a queue that had begun to deliver could not say any more what was put into it.
  for (const [settings, sink] of sinks) queueFor(settings, sink);
  if (home.isFirst)
    tellUntold(options.home, events => {
      for (const event of events.map(told)) for (const queue of queues.values()) queue.pushAgain(event);
    });
  return {
    emit,
    async setSinks(given) {
      const sinks = eachSink(given);
      const wanted = new Set(sinks.map(keyOf));
      // Closed before others open: a port may pass from one to the next.
      for (const [key, queue] of queues)
        if (!wanted.has(key)) {
          queues.delete(key);
          await queue.close(0);
        }
      for (const settings of sinks)
        if (!queues.has(keyOf(settings)))
          await openSink(settings, options)
            .then(sink => queueFor(settings, sink))
            .catch(error => env.onFailure(settings.type, error instanceof Error ? error.message : `${error}`));
    },
    get dropped() {
      return all(queue => queue.dropped);
    },
    get waiting() {
      return all(queue => queue.waiting);
    },
    async close() {
      await Promise.all([...queues.values()].map(queue => queue.close(LEAVE_WITHIN_MS)));
      home.release();
    },
  };
}

const keyOf = (settings: SinkSettings): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);

function fileOf(home: string, settings: SinkSettings): string {
  return join(home, `${settings.type}-${keyOf(settings)}.ndjson`);
}

interface Claim {
  readonly path: string;
  /** False when other lenses keep their journals beside this one. */
  readonly isFirst: boolean;
  release(): void;
}

/**
 * Two lenses must not share a journal: each takes the first folder that no living one holds, and with it what the lens
 * before has left there.
 */
function claimJournals(home: string): Claim {
  for (let slot = 0; ; slot++) {
    const path = join(home, slot === 0 ? 'outbox' : `outbox-${slot}`);
    const claim = join(path, 'pid');
    if (isHeld(claim)) continue;
    take(path, claim);
    return { path, isFirst: slot === 0, release: () => rmSync(claim, { force: true }) };
  }
}

function take(path: string, claim: string): void {
  try {
    makeDirectory(path);
    writeFileSync(claim, String(process.pid));
  } catch (cause) {
    throw new LensError(
      'storage',
      `What lens watches cannot be kept in ${path}: ${(cause as Error).message}.`, // node's fs throws Errors
      'Point XDG_STATE_HOME at a folder that can be written.',
      { cause },
    );
  }
}

function isHeld(claim: string): boolean {
  try {
    const pid = Number(readFileSync(claim, 'utf8'));
    return pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false; // no claim, or its holder is gone
  }
}
