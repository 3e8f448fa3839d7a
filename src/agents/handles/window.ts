import type { Described, Describer } from './describe.js';
import type { RawGroup } from './raw.js';

/** A socket that moves no byte for this long is idle; shorter than any keep-alive, longer than most exchanges. */
const IDLE_MS = 2_000;
const MAX_GROUPS = 200;
const MAX_PIDS = 20;

interface Known {
  readonly group: string;
  /** First seen in the window's first reading: its age is unknown. */
  readonly old: boolean;
  readonly since: number;
  bytes: number;
  movedAt: number;
  reading: number;
}

/** One asker's view of the handles: what came, what went, what moves no bytes. */
export class HandleWindow {
  private readonly known = new Map<number, Known>();
  private readonly ids = new WeakMap<object, number>();
  private readonly gone = new Map<string, number>();
  private readings = 0;
  private lastId = 0;

  constructor(private readonly describer: Describer) {}

  read(handles: readonly object[], now: number): RawGroup[] {
    this.readings += 1;
    const groups = new Map<string, RawGroup>();
    for (const handle of handles) {
      const described = this.describer.describe(handle);
      if (described !== undefined) this.add(this.idOf(handle), described, groups, now);
    }
    this.forgetGone(groups);
    return [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MAX_GROUPS);
  }

  private idOf(handle: object): number {
    const id = this.ids.get(handle) ?? ++this.lastId;
    this.ids.set(handle, id);
    return id;
  }

  private add(id: number, described: Described, groups: Map<string, RawGroup>, now: number): void {
    const key = `${described.kind} ${described.type} ${described.direction} ${described.name}`;
    const group = groups.get(key) ?? emptyGroup(described, this.gone.get(key) ?? 0);
    groups.set(key, group);
    const known = this.follow(id, key, described, now);
    const idle = described.kind === 'socket' && !described.busy && now - known.movedAt >= IDLE_MS;
    const settled = now - known.since >= IDLE_MS;
    group.count += 1;
    group.bytesRead += described.read ?? 0;
    group.bytesWritten += described.written ?? 0;
    if (described.busy) group.busy += 1;
    if (described.halfClosed) group.halfClosed += 1;
    if (idle) group.idle += 1;
    if (!known.old) group.born += 1;
    if (!known.old && settled) group.settledBorn += 1;
    if (!known.old && settled && idle) group.idleBorn += 1;
    if (described.pid !== undefined && group.pids.length < MAX_PIDS) group.pids.push(described.pid);
  }

  private follow(id: number, group: string, { read = 0, written = 0 }: Described, now: number): Known {
    const bytes = read + written;
    const before = this.known.get(id);
    const known: Known = before ?? { group, old: this.readings === 1, since: now, bytes, movedAt: now, reading: 0 };
    if (known.bytes !== bytes) known.movedAt = now;
    known.bytes = bytes;
    known.reading = this.readings;
    if (before === undefined || before.group !== group) this.known.set(id, { ...known, group });
    return this.known.get(id) ?? known;
  }

  private forgetGone(groups: Map<string, RawGroup>): void {
    for (const [id, { group, reading }] of this.known) {
      if (reading === this.readings) continue;
      this.known.delete(id);
      this.gone.set(group, (this.gone.get(group) ?? 0) + 1);
      const present = groups.get(group);
      if (present !== undefined) present.gone += 1;
    }
  }
}

const emptyGroup = ({ kind, type, direction, name }: Described, gone: number): RawGroup => ({
  kind,
  type,
  direction,
  name,
  count: 0,
  born: 0,
  gone,
  idle: 0,
  idleBorn: 0,
  settledBorn: 0,
  busy: 0,
  halfClosed: 0,
  bytesRead: 0,
  bytesWritten: 0,
  pids: [],
});
