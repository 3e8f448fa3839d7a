import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WatchEvent, WatchEventBody } from '../../model/watch-event.js';
import { fileJournal, memoryJournal } from '../../sinks/journal.js';
import { SinkQueue } from '../../sinks/queue.js';
import { sayEvent } from '../../sinks/say-event.js';
import type { SinkSettings } from '../settings.js';
import { openSink, type SinkSeat } from './open-sink.js';

export interface OutletOptions extends SinkSeat {
  readonly watch: string;
  readonly home: string;
  readonly sinks: readonly SinkSettings[];
  readonly json: boolean;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Where events go: stdout, and every sink through a queue of its own. */
export interface Outlet {
  emit(event: WatchEventBody): void;
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
  const queues: SinkQueue[] = [];
  const emit = (body: WatchEventBody): void => {
    const event: WatchEvent = { at: options.now(), watch: options.watch, seq: seq++, ...body };
    print(event, options.json);
    for (const queue of queues) queue.push(event);
  };
  const env = {
    sleep: options.sleep,
    random: options.random,
    onFailure: (sink: string, message: string) => emit({ type: 'failure', where: `sink ${sink}`, message }),
  };
  for (const settings of options.sinks) {
    const sink = await openSink(settings, options);
    const journal =
      settings.type === 'prometheus' ? memoryJournal(MEMORY_EVENTS) : fileJournal(fileOf(home.path, settings));
    queues.push(new SinkQueue(sink, journal, env));
  }
  return {
    emit,
    get dropped() {
      return Object.fromEntries(queues.map(queue => [queue.sink.name, queue.dropped]));
    },
    get waiting() {
      return Object.fromEntries(queues.map(queue => [queue.sink.name, queue.waiting]));
    },
    async close() {
      await Promise.all(queues.map(queue => queue.close(LEAVE_WITHIN_MS)));
      home.release();
    },
  };
}

function print(event: WatchEvent, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(event)}\n`);
  else {
    const said = sayEvent(event);
    if (said !== undefined) process.stdout.write(`${new Date(event.at).toISOString().slice(11, 19)} ${said}\n`);
  }
}

function fileOf(home: string, settings: SinkSettings): string {
  const id = createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 12);
  return join(home, `${settings.type}-${id}.ndjson`);
}

/** Two lenses must not share a journal: the second one gets a folder of its own. */
function claimJournals(home: string): { readonly path: string; release(): void } {
  const path = join(home, 'outbox');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const claim = join(path, 'pid');
  if (!isHeld(claim)) {
    writeFileSync(claim, String(process.pid));
    return { path, release: () => rmSync(claim, { force: true }) };
  }
  const own = join(home, `outbox-${process.pid}`);
  return { path: own, release: () => {} };
}

function isHeld(claim: string): boolean {
  try {
    const pid = Number(readFileSync(claim, 'utf8'));
    return pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false; // no claim, or its holder is gone
  }
}
