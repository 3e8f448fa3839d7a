import { type Captured, capture, framesOf, isProgram, type RawFrame } from '../stack.js';
import { MAX_MESSAGE, readLine, templateOf } from './lines.js';
import type { RawEntry, RawGroup, RawLogs } from './raw.js';

const MAX_GROUPS = 300;
const MAX_RECENT = 1000;
/** Looking at a line costs about 10 µs: within this many per tenth of a second a flood costs 1 % of a core. */
const LOOKS_PER_SLICE = 100;
const SLICE_MS = 100;
/** Stacks of a group: the first few, then at least this far apart; about 10 µs each. */
const FIRST_STACKS = 3;
const STACK_EVERY_MS = 250;
const MAX_STACKS = 12;
/** What is sent of the ring: newest first, until this many characters. */
const SENT_CHARACTERS = 200_000;
const MAX_FRAMES = 8;
/** Loggers built on streams put some forty frames between the call and the write. */
const STACK_DEPTH = 70;

type Via = RawGroup['via'];

interface Group {
  readonly level: string;
  readonly template: string;
  readonly via: Via;
  readonly example: string;
  count: number;
  bytes: number;
  readonly seconds: Set<number>;
  readonly stacks: Captured[];
  stackAt: number;
}

/** Counts and groups what the program writes. Below a budget every line is looked at, above it a share. */
export class Tally {
  private readonly groups = new Map<string, Group>();
  private readonly recent: RawEntry[] = [];
  private next = 0;
  private lines = 0;
  private bytes = 0;
  private read = 0;
  private slice = 0;
  private looks = 0;
  writeMs = 0;

  constructor(
    private readonly now: () => number,
    private readonly wallClock: () => number,
    private readonly began: number,
  ) {}

  /** One write; it may hold several lines. `below` is the hook, whose callers are asked for. */
  add(text: string, via: Via, fallback: string, below: (...args: never[]) => unknown): void {
    this.bytes += text.length;
    for (const line of text.length < 8 * MAX_MESSAGE ? text.split('\n') : [text.slice(0, MAX_MESSAGE)]) {
      // Indented lines belong to the one above: a stack trace, an inspected object.
      if (isContinuation(line.charAt(0))) continue;
      this.lines += 1;
      if (this.mayLook()) this.look(line.slice(0, MAX_MESSAGE), via, fallback, below);
    }
  }

  tell(pendingBytes: number): RawLogs {
    return {
      windowMs: this.now() - this.began,
      lines: this.lines,
      bytes: this.bytes,
      read: this.read,
      writeMs: this.writeMs,
      pendingBytes,
      groups: this.tellGroups(),
      recent: this.newest(),
    };
  }

  private mayLook(): boolean {
    const slice = Math.floor(this.now() / SLICE_MS);
    if (slice !== this.slice) this.looks = 0;
    this.slice = slice;
    this.looks += 1;
    return this.looks <= LOOKS_PER_SLICE;
  }

  private look(text: string, via: Via, fallback: string, below: (...args: never[]) => unknown): void {
    const { level, message } = readLine(text, fallback);
    this.read += 1;
    this.recent[this.next] = { at: this.wallClock(), level, message };
    this.next = (this.next + 1) % MAX_RECENT;
    const template = templateOf(message);
    const key = `${level} ${template}`;
    const known = this.groups.get(key);
    if (known === undefined && this.groups.size >= MAX_GROUPS) return;
    const group: Group = known ?? {
      level,
      template,
      via,
      example: message,
      count: 0,
      bytes: 0,
      seconds: new Set(),
      stacks: [],
      stackAt: 0,
    };
    this.groups.set(key, group);
    this.count(group, text.length, below);
  }

  private count(group: Group, bytes: number, below: (...args: never[]) => unknown): void {
    const now = this.now();
    group.count += 1;
    group.bytes += bytes;
    group.seconds.add(Math.floor((now - this.began) / 1000));
    const due = group.stacks.length < FIRST_STACKS || now - group.stackAt > STACK_EVERY_MS;
    if (!due || group.stacks.length >= MAX_STACKS) return;
    group.stackAt = now;
    group.stacks.push(capture(below, STACK_DEPTH));
  }

  private tellGroups(): RawGroup[] {
    const groups = [...this.groups.values()].sort((a, b) => b.count - a.count);
    return groups.map(({ stacks, seconds, stackAt: _, ...group }) => ({
      ...group,
      activeSeconds: seconds.size,
      frames: mostCommon(framesOf(stacks).map(telling)),
    }));
  }

  private newest(): RawEntry[] {
    const ordered = [...this.recent.slice(this.next), ...this.recent.slice(0, this.next)].reverse();
    let room = SENT_CHARACTERS;
    return ordered.filter(({ message }) => {
      room -= message.length;
      return room >= 0;
    });
  }
}

const isContinuation = (first: string): boolean => first.trim() === '' || '})]'.includes(first);

/** The writer's own frames, and those of the application, however many lie between. */
function telling(frames: readonly RawFrame[]): RawFrame[] {
  const program = frames.filter(isProgram);
  const isPackage = ({ url }: RawFrame) => url.includes('node_modules');
  return [...program.filter(isPackage).slice(0, 2), ...program.filter(frame => !isPackage(frame)).slice(0, MAX_FRAMES)];
}

/** The stack that was seen most often; an empty one only when there is no other. */
function mostCommon<F extends { readonly url: string; readonly line: number }>(
  stacks: readonly (readonly F[])[],
): readonly F[] {
  const counts = new Map<string, { frames: readonly F[]; count: number }>();
  for (const frames of stacks) {
    const key = frames.map(({ url, line }) => `${url}:${line}`).join(' ');
    const entry = counts.get(key) ?? { frames, count: 0 };
    entry.count += frames.length > 0 ? 1 : 0;
    counts.set(key, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.frames ?? [];
}
