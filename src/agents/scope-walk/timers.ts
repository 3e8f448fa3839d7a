import type { ScriptPosition } from '../../model/location.js';
import { type InspectorBridge, variablesOf } from './inspector-bridge.js';
import { functionText, isObject, own, plainKeys } from './intrinsics.js';
import type { Realm } from './realm.js';
import type { Walk } from './walk.js';

/** Timers of one duration and one callback (by its source text). */
export interface TimerGroup {
  readonly ms: number;
  readonly repeats: boolean;
  readonly name: string;
  count: number;
  callback: ScriptPosition | undefined;
  /** A few of its timers, the newest last. */
  readonly some: WeakRef<object>[];
}

/** Of a list this long only the first are grouped; all are counted up to the second bound. */
const GROUPED = 4000;
const COUNTED = 50_000;
const MOST_GROUPS = 40;

const isRepeated = (timer: object): boolean => own(timer, '_repeat') !== null && own(timer, '_repeat') !== undefined;

interface TimerList {
  readonly [ms: string]: object;
}

/** Every JavaScript timer of the target, through `timerListMap` in the scope of `setTimeout`: no heap walk needed. */
export class Timers {
  private lists: TimerList | undefined;

  constructor(
    private readonly realm: Realm,
    private readonly bridge: InspectorBridge,
  ) {}

  /** How many there are, by duration in milliseconds; empty when Node hides them. */
  counts(): Map<number, number> {
    const out = new Map<number, number>();
    const lists = this.find();
    for (const ms of lists ? plainKeys(lists) : []) {
      let count = 0;
      this.each(lists?.[ms], () => {
        count++;
      });
      out.set(Number(ms), count);
    }
    return out;
  }

  groups(): TimerGroup[] {
    const groups = new Map<string, TimerGroup>();
    const callbacks = new Map<TimerGroup, object>();
    const lists = this.find();
    for (const ms of lists ? plainKeys(lists) : []) {
      let left = GROUPED;
      this.each(lists?.[ms], timer => {
        const callback = own(timer, '_onTimeout');
        if (left-- <= 0 || typeof callback !== 'function') return;
        const group = this.groupOf(groups, Number(ms), timer, callback);
        if (!callbacks.has(group)) callbacks.set(group, callback);
      });
    }
    const biggest = [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MOST_GROUPS);
    this.locate(biggest, callbacks);
    return biggest;
  }

  /** What timers and queued ticks hold, as late roots. */
  addTo(walk: Walk, groups: readonly TimerGroup[]): void {
    for (const group of groups) {
      const name = `timer ${group.repeats ? 'every' : 'in'} ${group.ms} ms`;
      // Since Node 24 a timer that has fired lets its asynchronous context go: one that still waits has it.
      walk.rootOf(() => this.waiting(group), name, 3);
      for (const ref of group.some) walk.root(ref.deref(), name, 3);
    }
    walk.root(variablesOf(this.bridge, process.nextTick).queue, 'nextTick queue', 3);
  }

  private waiting({ ms, repeats }: TimerGroup): object | undefined {
    const timer = own(this.find()?.[ms], '_idleNext');
    return isObject(timer) && isRepeated(timer) === repeats ? timer : undefined;
  }

  private groupOf(groups: Map<string, TimerGroup>, ms: number, timer: object, callback: object): TimerGroup {
    const repeats = isRepeated(timer);
    const text = this.realm.types.isProxy(callback) ? 'proxy' : functionText(callback);
    const key = `${repeats}|${ms}|${text.slice(0, 200)}${text.length}`;
    const name = this.realm.types.isProxy(callback) ? '' : own(callback, 'name');
    const group = groups.get(key) ?? {
      ms,
      repeats,
      name: typeof name === 'string' ? name : '',
      count: 0,
      callback: undefined,
      some: [],
    };
    groups.set(key, group);
    group.count++;
    // The first two stay, the last is replaced by ever newer ones.
    group.some[Math.min(2, group.some.length)] = new WeakRef(timer);
    return group;
  }

  private locate(groups: readonly TimerGroup[], callbacks: ReadonlyMap<TimerGroup, object>): void {
    const asked = groups.map(group => callbacks.get(group)).filter(isObject);
    for (const [i, { location }] of this.bridge.read(asked).entries()) {
      const group = groups[i];
      if (!group || !location) continue;
      const { scriptId, lineNumber, columnNumber } = location;
      group.callback = { scriptId, url: '', line: lineNumber, column: columnNumber };
    }
  }

  private find(): TimerList | undefined {
    if (!this.lists) {
      const setTimer = (this.realm.host.require('node:timers') as { setTimeout: object }).setTimeout;
      const found = variablesOf(this.bridge, setTimer).timerListMap;
      if (isObject(found)) this.lists = found as unknown as TimerList;
    }
    return this.lists;
  }

  private each(list: unknown, use: (timer: object) => void): void {
    let at = own(list, '_idleNext');
    for (let i = 0; i < COUNTED && isObject(at) && at !== list; i++) {
      use(at);
      at = own(at, '_idleNext');
    }
  }
}
