import type { PartHost } from '../host.js';
import type { Inside } from '../inside.js';
import { own, type Peek, peeker } from '../peek.js';
import { squeezed } from '../text.js';
import type { RawLocation, RawTimers } from './raw.js';

/** A program with more than this showed its growth long before; walking so many takes about 10 ms. */
const MAX_TIMERS = 50_000;
/** Groups are told apart by the callback's text up to here: closures made anew for each timer share it. */
const TEXT_LENGTH = 600;
const NAME_LENGTH = 80;
/** Asking V8 for a function's place takes about 0.05 ms; done once per group. */
const MAX_LOCATED = 60;
const MAX_REPORTED = 100;

const functionText = Function.prototype.call.bind(Function.prototype.toString) as unknown as (f: unknown) => string;

/** Fields of Node's Timeout (lib/internal/timers.js), the same since Node 11. */
interface Timer {
  readonly _idlePrev?: Timer;
  readonly _idleTimeout?: number;
  readonly _onTimeout?: unknown;
  readonly _repeat?: number | null;
}

interface Group {
  readonly key: string;
  readonly ms: number;
  readonly repeat: boolean;
  readonly name: string;
  count: number;
  sample: object;
}

/** JavaScript timers by duration, repetition and callback, from the list that `node:timers` closes over. */
export class Timers {
  private lists: object | undefined;
  private fault: string | undefined;
  private readonly peek: Peek;
  private readonly texts = new WeakMap<object, string>();
  private readonly places = new Map<string, RawLocation | undefined>();

  constructor(
    private readonly host: PartHost,
    private readonly inside: Inside,
  ) {
    this.peek = peeker(host);
  }

  read(): { timers: RawTimers[]; total: number; truncated: boolean; fault?: string | undefined } {
    const lists = this.find();
    if (lists === undefined) return { timers: [], total: 0, truncated: false, fault: this.fault };
    const groups = new Map<string, Group>();
    let total = 0;
    for (const ms of Object.keys(lists)) total += this.walk(own(lists, ms), groups, MAX_TIMERS - total);
    const largest = [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MAX_REPORTED);
    return { timers: largest.map(group => this.tell(group)), total, truncated: total >= MAX_TIMERS };
  }

  private find(): object | undefined {
    if (this.lists !== undefined || this.fault !== undefined) return this.lists;
    try {
      const { setTimeout } = this.host.require('node:timers') as typeof import('node:timers');
      const lists = this.inside.variable(setTimeout, 'timerListMap');
      if (typeof lists === 'object' && lists !== null) this.lists = lists;
      else this.fault = 'setTimeout was replaced: its list of timers is out of reach';
    } catch (error) {
      this.fault = String(error);
    }
    return this.lists;
  }

  /**
   * A list is a ring that includes the list itself. Its members are Node's own Timeout objects, so their fields are
   * read as they are: through descriptors 50 000 of them would take a tenth of a second.
   */
  private walk(list: unknown, groups: Map<string, Group>, room: number): number {
    let walked = 0;
    let timer = (list as Timer)._idlePrev;
    for (; isObject(timer) && timer !== list && walked < room; walked++) {
      this.count(timer, groups);
      timer = timer._idlePrev;
    }
    return walked;
  }

  private count(timer: Timer, groups: Map<string, Group>): void {
    const callback = timer._onTimeout;
    if (typeof callback !== 'function') return;
    const ms = Number(timer._idleTimeout);
    const repeat = timer._repeat !== null && timer._repeat !== undefined;
    const key = `${ms} ${repeat} ${this.text(callback)}`;
    const group = groups.get(key);
    if (group === undefined)
      groups.set(key, {
        key,
        ms,
        repeat,
        name: this.nameProperty(callback) || squeezed(this.text(callback), NAME_LENGTH),
        count: 1,
        sample: callback,
      });
    else group.count += 1;
  }

  private text(callback: object): string {
    const known = this.texts.get(callback);
    if (known !== undefined) return known;
    const text = `${this.nameProperty(callback)} ${functionText(callback).slice(0, TEXT_LENGTH)}`;
    this.texts.set(callback, text);
    return text;
  }

  private nameProperty(callback: object): string {
    const name = this.peek(callback, 'name');
    return typeof name === 'string' ? name : '';
  }

  private tell({ key, ms, repeat, name, count, sample }: Group): RawTimers {
    if (!this.places.has(key) && this.places.size < MAX_LOCATED) this.places.set(key, this.inside.location(sample));
    return { key, ms, repeat, name, count, location: this.places.get(key) };
  }
}

const isObject = (value: unknown): value is Timer => typeof value === 'object' && value !== null;
