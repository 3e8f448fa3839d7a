import type { Protocol } from 'devtools-protocol';
import { ProtocolConnection } from './connection.js';
import type { DebuggerConnection } from './session.js';
import { standstill } from './standstill.js';
import type { Wire } from './wire.js';

/** A cheap call whose only use is to make the kernel acknowledge what arrived. */
const NUDGE = 'Runtime.getIsolateId';

/** Stops the target in proportion to the heap and to the scripts it has parsed: 18–30 ns an object. */
const ENABLE_TIMEOUT_MS = 30_000;

/** What is read while the target stands still is read within this, or not at all. */
const LOOK_TIMEOUT_MS = 500;

type PausedEvent = Protocol.Debugger.PausedEvent;

/** Debugger enabled, every pause skipped but the one that is asked for. */
export class LiveDebugger extends ProtocolConnection implements DebuggerConnection {
  readonly scripts = new Map<string, { url: string; sourceMapUrl?: string }>();
  pausedMs = 0;
  #onPaused: ((event: PausedEvent) => void) | undefined;

  constructor(
    wire: Wire,
    private readonly pid: number,
  ) {
    super(wire);
    hurry(this);
    this.on('Debugger.scriptParsed', ({ scriptId, url, sourceMapURL }) => {
      this.scripts.set(scriptId, sourceMapURL ? { url, sourceMapUrl: sourceMapURL } : { url });
    });
    this.on('Debugger.paused', event => {
      if (this.#onPaused) this.#onPaused(event);
      else void this.#resume();
    });
  }

  /** In one breath: nothing can pause between enabling and skipping. */
  async enable(): Promise<void> {
    const early = this.#skipPauses(true).catch(() => {}); // a version may refuse it before enable
    let skipping: Promise<void> | undefined;
    const { pausedMs } = await standstill(this, this.pid, () => {
      const enabled = this.send('Debugger.enable', {}, { timeoutMs: ENABLE_TIMEOUT_MS });
      skipping = this.#skipPauses(true);
      return enabled;
    });
    this.pausedMs = pausedMs;
    await Promise.all([early, skipping]);
  }

  async pause<T>(
    look: (paused: PausedEvent) => Promise<T>,
    timeoutMs: number,
  ): Promise<{ value: T; pausedMs: number } | undefined> {
    const paused = new Promise<PausedEvent>(resolve => {
      this.#onPaused = resolve;
    });
    try {
      await this.#skipPauses(false);
      await this.send('Debugger.pause', { timeoutMs });
      const event = await withinMs(timeoutMs, paused);
      if (!event) return undefined;
      const startedAt = performance.now();
      const value = await this.#lookThenResume(() => look(event));
      return value === undefined ? undefined : { value, pausedMs: performance.now() - startedAt };
    } finally {
      this.#onPaused = undefined;
      await this.#skipPauses(true).catch(() => {}); // lost: nothing is left to skip
    }
  }

  async #lookThenResume<T>(look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await withinMs(LOOK_TIMEOUT_MS, look());
    } finally {
      this.#onPaused = undefined;
      await this.#resume();
    }
  }

  #resume(): Promise<void> {
    return this.send('Debugger.resume').catch(() => {}); // resumed already by another client, or lost
  }

  #skipPauses(skip: boolean): Promise<void> {
    return this.send('Debugger.setSkipAllPauses', { skip }, { timeoutMs: ENABLE_TIMEOUT_MS });
  }
}

/** Between two nudges that only answer each other. */
const NUDGE_MS = 2;

/**
 * Node writes two small packets per answer, and the second waits 40 ms for the acknowledgement of the first: sending
 * anything at once brings it. One nudge for what arrives together, and again while a call waits for its answer.
 */
function hurry(connection: ProtocolConnection): void {
  const nudges = new Set<number>();
  let planned = false;
  const nudge = () => {
    planned = false;
    if (connection.isWaiting) nudges.add(connection.post(NUDGE));
  };
  connection.onTraffic = id => {
    const isNudge = id !== undefined && nudges.delete(id);
    if (planned) return;
    planned = true;
    if (isNudge) setTimeout(nudge, NUDGE_MS);
    else setImmediate(nudge);
  };
}

async function withinMs<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
