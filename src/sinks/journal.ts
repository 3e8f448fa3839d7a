import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { WatchEvent } from '../model/watch-event.js';

/** Events on their way to one sink, oldest first: added at one end, committed at the other once they have arrived. */
export interface Journal {
  readonly waiting: number;
  /** Events that found no room. */
  readonly dropped: number;
  /** False when it found no room. */
  add(event: WatchEvent): boolean;
  /** Whether one that waits is this. */
  holds(is: (event: WatchEvent) => boolean): boolean;
  /** The oldest, at most `count`; they stay until committed. */
  peek(count: number): { readonly events: readonly WatchEvent[]; readonly end: number };
  commit(end: number): void;
}

/** For sinks that are as near as a file: when it is full, the oldest go. */
export function memoryJournal(capacity: number): Journal {
  let events: WatchEvent[] = [];
  let first = 0;
  let dropped = 0;
  return {
    get waiting() {
      return events.length;
    },
    get dropped() {
      return dropped;
    },
    add(event) {
      events.push(event);
      if (events.length <= capacity) return true;
      events.shift();
      first++;
      dropped++;
      return true;
    },
    holds: is => events.some(is),
    peek: count => ({ events: events.slice(0, count), end: first + Math.min(count, events.length) }),
    commit(end) {
      // Some of what is committed may have been pushed out meanwhile.
      events = events.slice(Math.max(0, end - first));
      first = Math.max(first, end);
    },
  };
}

/** What the disk has no room for: a full disk is when people must be told. Some MB at most. */
const SHELTERED_EVENTS = 1_000;

/** A journal on disk; what finds no room there waits behind it in memory, the newest of it, until it does. */
export function fileJournal(path: string, maxBytes = MAX_BYTES, sheltered = SHELTERED_EVENTS): Journal {
  const disk = diskJournal(path, maxBytes);
  const shelter = memoryJournal(sheltered);
  /** A batch of the shelter is being delivered: it must not move to the disk meanwhile, and so come twice. */
  let isLent = false;
  const settle = () => {
    for (let [event] = shelter.peek(1).events; event && disk.add(event); [event] = shelter.peek(1).events)
      shelter.commit(shelter.peek(1).end);
  };
  return {
    get waiting() {
      return disk.waiting + shelter.waiting;
    },
    get dropped() {
      return shelter.dropped;
    },
    add(event) {
      if (!isLent) settle();
      return (shelter.waiting === 0 && disk.add(event)) || shelter.add(event);
    },
    holds: is => disk.holds(is) || shelter.holds(is),
    peek(count) {
      settle();
      isLent = disk.waiting === 0 && shelter.waiting > 0;
      return (isLent ? shelter : disk).peek(count);
    },
    commit(end) {
      (isLent ? shelter : disk).commit(end);
      isLent = false;
    },
  };
}

/** About a week of alerts, or some hours of metrics. */
const MAX_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
/** A reading of two dozen metrics is about 1 kB; a batch may come out smaller than asked for. */
const USUAL_BYTES = 4096;
/** Committed bytes are cut off once there are this many and they are the larger part. */
const COMPACT_BYTES = 1024 * 1024;

/**
 * A file of one event a line, with the end of what has arrived beside it. Survives lens being killed at any moment: an
 * event that was added is delivered at least once, in order.
 */
function diskJournal(path: string, maxBytes: number): Omit<Journal, 'dropped'> {
  const done = `${path}.done`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const left = existsSync(path) ? endTornLine(path) : Buffer.alloc(0);
  let size = left.length;
  let offset = readOffset(done, size);
  let waiting = linesOf(left.subarray(offset));
  let isTorn = false;

  return {
    get waiting() {
      return waiting;
    },
    add(event) {
      const line = `${JSON.stringify(event)}\n`;
      const bytes = Buffer.byteLength(line);
      if (size - offset + bytes > maxBytes || !append(line)) return false;
      size += bytes;
      waiting++;
      return true;
    },
    holds: is => parse(readFrom(path, offset, size - offset), Number.POSITIVE_INFINITY).events.some(is),
    peek(count) {
      const chunk = readFrom(path, offset, Math.min(CHUNK_BYTES, USUAL_BYTES * count));
      // An event longer than a chunk is read with all the rest.
      const { events, end } = parse(chunk.includes(10) ? chunk : readFrom(path, offset, size - offset), count);
      return { events, end: offset + end };
    },
    commit(end) {
      // Nothing to read where something should be: somebody has emptied the file.
      waiting = end === offset ? 0 : waiting - linesOf(readFrom(path, offset, end - offset));
      offset = end;
      if (waiting === 0) clear();
      else if (offset > COMPACT_BYTES && offset > size / 2) compact();
      else writeOffset();
    },
  };

  /** A disk that fills up takes a part of a line. It goes before anything is written behind it. */
  function append(line: string): boolean {
    if (isTorn) isTorn = !attempt(() => truncateSync(path, size));
    if (isTorn) return false;
    isTorn = !attempt(() => appendFileSync(path, line, { mode: 0o600 }));
    return !isTorn;
  }

  /** Emptied before the offset is: an offset beyond the end means "from the start", the other order would repeat all. */
  function clear(): void {
    attempt(() => truncateSync(path, 0));
    attempt(() => rmSync(done, { force: true }));
    [size, offset] = [0, 0];
  }

  function compact(): void {
    const rest = readFrom(path, offset, Number.MAX_SAFE_INTEGER);
    const written = attempt(() => {
      writeFileSync(`${path}.tmp`, rest, { mode: 0o600 });
      rmSync(done, { force: true });
      renameSync(`${path}.tmp`, path);
    });
    if (written) [size, offset] = [rest.length, 0];
  }

  function writeOffset(): void {
    attempt(() => writeFileSync(done, String(offset), { mode: 0o600 }));
  }
}

function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false; // a full or broken disk: what could not be stored is counted, what was stored comes twice
  }
}

/** A crash in the middle of a write leaves half a line; the next event must not be glued to it. */
function endTornLine(path: string): Buffer {
  const content = readFileSync(path);
  const whole = content.lastIndexOf(10) + 1;
  if (whole < content.length) truncateSync(path, whole);
  return content.subarray(0, whole);
}

function readOffset(path: string, size: number): number {
  const offset = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  return Number.isInteger(offset) && offset <= size ? offset : 0;
}

function readFrom(path: string, offset: number, most: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0);
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, Math.min(most, fstatSync(file).size - offset)));
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, offset));
  } finally {
    closeSync(file);
  }
}

/** The first `count` events; `end` is where the last of their lines ends, in bytes. A line that is none is passed over. */
function parse(content: Buffer, count: number): { events: WatchEvent[]; end: number } {
  const events: WatchEvent[] = [];
  let end = 0;
  for (let to = content.indexOf(10); to >= 0 && events.length < count; to = content.indexOf(10, end)) {
    const line = content.toString('utf8', end, to);
    attempt(() => events.push(JSON.parse(line) as WatchEvent)); // written by `add`
    end = to + 1;
  }
  return { events, end };
}

function linesOf(content: Buffer): number {
  let lines = 0;
  for (let at = content.indexOf(10); at >= 0; at = content.indexOf(10, at + 1)) lines++;
  return lines;
}
