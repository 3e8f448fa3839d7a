import type { HeapView } from './view.js';

/** Like children of one holder: what a person would count. */
export interface ChildGroup {
  readonly classIndex: number;
  readonly count: number;
  readonly retainedBytes: number;
  /** One of them. */
  readonly sample: number;
}

const FIRST_SLOTS = 1024;
/** Holder's number, class, how many, the first one, and bytes (two words). */
const SLOT_WORDS = 6;

/** Counts nodes by the number of the holder above them (`holderOf`) and by class. */
export class Groups {
  private table: Uint32Array;

  constructor(
    private readonly view: HeapView,
    private readonly holderOf: Uint32Array,
  ) {
    this.table = this.arena.words(FIRST_SLOTS * SLOT_WORDS);
    this.arena.loops.beginGroups();
  }

  /** The first so many of these. */
  count(nodes: Uint32Array, count: number): void {
    const { immediate, classes, retained } = this.view.heap;
    const { groupDoubles, groupWords } = this.arena.loops;
    const group = retained instanceof Float64Array ? groupDoubles : groupWords;
    const columns = [immediate, this.holderOf, classes.of, retained].map(({ byteOffset }) => byteOffset);
    for (let at = 0; ; this.widen()) {
      at += group(nodes.byteOffset + at * 4, count - at, ...columns, this.table.byteOffset, this.mask);
      if (at === count) return;
    }
  }

  /** What was counted, by holder; the list gives their numbers, from one on. The largest groups first. */
  of(holders: readonly number[]): Map<number, ChildGroup[]> {
    const groups = holders.map((): ChildGroup[] => []);
    const { table } = this;
    const bytes = new Float64Array(table.buffer, table.byteOffset, table.length / 2);
    for (let slot = 0; slot < table.length; slot += SLOT_WORDS) {
      const [holder, classIndex, count, sample] = table.subarray(slot, slot + 4);
      if (holder === 0) continue;
      const group = { classIndex: classIndex!, count: count!, retainedBytes: bytes[slot / 2 + 2]!, sample: sample! };
      groups[holder! - 1]!.push(group);
    }
    for (const list of groups) list.sort((a, b) => b.retainedBytes - a.retainedBytes || a.sample - b.sample);
    return new Map(holders.map((holder, i) => [holder, groups[i]!]));
  }

  private get arena() {
    return this.view.heap.file.arena;
  }

  private get mask(): number {
    return this.table.length / SLOT_WORDS - 1;
  }

  private widen(): void {
    const { table, mask, arena } = this;
    this.table = arena.words(table.length * 2);
    arena.loops.widenGroups(table.byteOffset, mask + 1, this.table.byteOffset, this.mask);
  }
}
