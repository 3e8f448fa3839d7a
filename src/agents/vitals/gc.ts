import type { PartHost } from '../host.js';
import type { RawGc } from './raw.js';

/** A program under memory pressure collects dozens of times a second: the newest of these suffice for a trend. */
const MAX_LIVE_READINGS = 128;
const MARK_COMPACT = 4;

export type GcWindow = RawGc;

interface GcEntry {
  readonly startTime: number;
  readonly duration: number;
  readonly detail?: { readonly kind?: number };
}

interface GcObserver {
  observe(options: { entryTypes: readonly 'gc'[] }): void;
  takeRecords(): unknown[];
  disconnect(): void;
}

type GcObserverClass = new (callback: (list: { getEntries(): unknown[] }) => void) => GcObserver;

/** One observer for all askers, running only while somebody has a window open. */
export function watchGc(Observer: unknown, usedBytes: () => number, { now, guard }: Pick<PartHost, 'now' | 'guard'>) {
  const windows = new Set<GcWindow>();
  const take = (entries: readonly unknown[]): void => {
    const used = usedBytes();
    const at = now();
    for (const entry of entries) for (const window of windows) record(window, entry as GcEntry, used, at);
  };
  // Node's class, whose types name the DOM's entry types too.
  const onEntries = guard((list: { getEntries(): unknown[] }) => take(list.getEntries()), undefined);
  const observer = new (Observer as GcObserverClass)(onEntries);

  return {
    open(): GcWindow {
      if (windows.size === 0) observer.observe({ entryTypes: ['gc'] });
      const window: GcWindow = { kinds: {}, live: [] };
      windows.add(window);
      return window;
    },
    /** Counts what the observer would only deliver at the next turn of the loop. */
    flush(): void {
      take(observer.takeRecords());
    },
    close(window: GcWindow): void {
      windows.delete(window);
      if (windows.size === 0) observer.disconnect();
    },
    dispose(): void {
      windows.clear();
      observer.disconnect();
    },
  };
}

function record(window: GcWindow, entry: GcEntry, used: number, at: number): void {
  const kind = entry.detail?.kind ?? 0;
  const sum = window.kinds[kind] ?? { count: 0, ms: 0, max: 0 };
  window.kinds[kind] = sum;
  sum.count += 1;
  sum.ms += entry.duration;
  sum.max = Math.max(sum.max, entry.duration);
  if (kind !== MARK_COMPACT) return;
  const end = entry.startTime + entry.duration;
  if (window.live.length >= MAX_LIVE_READINGS) window.live.shift();
  window.live.push({ at: end, used, late: at - end });
}
