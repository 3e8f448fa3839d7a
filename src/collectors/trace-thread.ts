import type { RawHit, RawPlan, RawSlot, RawTrace } from '../agents/trace/raw.js';
import type { Tree } from '../agents/trace/read.js';
import { filePath } from '../base/script-url.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import type {
  TextSpot,
  TracedPoint,
  TraceHit,
  TraceParams,
  TracePoint,
  WatchExpression,
} from '../model/evidence/trace.js';
import type { Json } from '../model/json.js';
import type { CollectContext } from './collector.js';
import { toFrames } from './frames.js';

/** A hit costs 37–125 µs, because V8 compiles the condition anew each time: 300 a second are 1–4 % of a core. */
const MAX_HITS_PER_SECOND = 300;
/** A burst may bring this many at once. */
const BURST_HITS = 60;
/** How long a place is counted before it is watched; a hot one is known after the first looks. */
const TRIAL_MS = 600;
/** Between two looks at the counters: as many hits as fit in between is what a hot place costs. */
const LOOK_MS = 20;
const CALM_LOOK_MS = 100;
const MAX_LINES = 80;
const CLOSE_MS = 2_000;

interface Slot extends RawSlot {
  readonly url: string;
  breakpointId?: string;
  placed?: TextSpot;
  /** Why it is not watched, or no longer. */
  cut?: string;
  /** What had been counted when it was cut. */
  counted?: { readonly reached: number; readonly perSecond: number };
}

interface Around {
  /** Of a worker thread. */
  readonly title?: string;
  readonly startedAt: number;
  readonly onHits: (hits: readonly TraceHit[]) => void;
}

/** The places of one trace in one thread: set, counted, watched, and taken away. */
export class ThreadTrace {
  state: 'setting up' | 'watching' | 'ended' = 'setting up';
  skipped = 0;
  pausedMs = 0;
  timed: RawTrace['timed'] = { calls: 0, totalMs: 0, maxMs: 0 };
  /** Settles once the places are set or refused. */
  readonly ready: Promise<void>;
  #isReady = () => {};
  #stopped = false;
  #slots: Slot[] = [];
  #reached: readonly number[] = [];
  #watchedFrom = 0;
  #openedAtMs = 0;
  #ids: ReadonlyMap<string, string> = new Map();
  /** The global that conditions call. */
  #callee = '';

  constructor(
    private readonly session: Session,
    private readonly params: TraceParams,
    private readonly context: CollectContext,
    private readonly around: Around,
  ) {
    this.ready = new Promise(resolve => {
      this.#isReady = resolve;
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    try {
      await this.session.withDebugger(debug => this.#trace(debug));
    } finally {
      this.state = 'ended';
      this.#isReady();
      await this.session.agent.remove('trace').catch(() => undefined); // lost, or the lease takes it out
    }
  }

  /** What became of each place this thread has loaded. */
  points(): TracedPoint[] {
    const seconds = Math.max(0.001, (this.context.now() - this.#watchedFrom) / 1000);
    const first = new Map<number, number>();
    for (const [at, { point }] of this.#slots.entries()) if (!first.has(point)) first.set(point, at);
    return [...first].map(([point, at]) => {
      const { placed, cut, counted } = this.#slots[at]!;
      const reached = this.#reached[at] ?? 0;
      return {
        ...(this.around.title === undefined ? {} : { thread: this.around.title }),
        point,
        ...(placed && { position: placed }),
        ...(counted ?? { reached, perSecond: reached / seconds }),
        ...(cut !== undefined && { refused: cut }),
      };
    });
  }

  async #trace(debug: DebuggerConnection): Promise<void> {
    this.pausedMs = debug.pausedMs;
    this.#ids = new Map([...debug.scripts].map(([id, { url }]) => [filePath(url), id]));
    const loaded = new Set([...debug.scripts.values()].map(({ url }) => url));
    if (!this.params.points.some(({ url }) => loaded.has(url))) return;
    await this.session.agent.install('trace');
    try {
      this.#slots = await slotsOf(debug, this.params, loaded);
      await this.#open();
      await this.#trial(debug);
      await this.#watch(debug);
    } finally {
      // Before the agent goes: a condition without its function would cost the target and tell nothing.
      await Promise.all(this.#slots.map(slot => remove(debug, slot)));
    }
  }

  async #open(): Promise<void> {
    const plan = planOf(this.params, this.#slots);
    this.#callee = await this.session.agent.call<string>('trace', 'open', [plan as unknown as Json]);
    this.#openedAtMs = this.context.now() - this.around.startedAt;
    this.#watchedFrom = this.context.now();
  }

  /** The first place of each kind alone, counted: a hot one is refused before anything else is set. */
  async #trial(debug: DebuggerConnection): Promise<void> {
    const entries = this.#slots.filter((slot, at) => this.#slots.findIndex(({ point }) => point === slot.point) === at);
    await this.#set(debug, entries);
    const until = this.context.now() + TRIAL_MS;
    while (this.context.now() < until && !this.#stopped && this.params.mode !== 'wrap') {
      await this.context.sleep(LOOK_MS);
      this.#reached = await this.session.agent.call<number[]>('trace', 'counts');
      await this.#cool(debug);
      if (entries.every(({ cut }) => cut !== undefined)) break;
    }
    for (const slot of this.#slots) {
      const entry = entries.find(({ point }) => point === slot.point);
      if (entry?.cut !== undefined) slot.cut = entry.cut;
    }
    const rest = this.#slots.filter(slot => !entries.includes(slot) && slot.cut === undefined);
    await this.#set(debug, rest);
    // Anew, now that all is set: what began before would lack its end, and what a refused place brought is not shown.
    if (rest.length > 0 || entries.some(({ cut }) => cut !== undefined)) await this.#open();
  }

  async #set(debug: DebuggerConnection, slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) {
      const thunks = slot.names.map(name => `,()=>${name}`).join('');
      const condition = `${calleeOf(this.#callee)}?.(${this.#slots.indexOf(slot)}${thunks})`;
      const where = { url: slot.url, lineNumber: slot.line, columnNumber: slot.column };
      const set = await debug.send('Debugger.setBreakpointByUrl', { ...where, condition }).catch(() => undefined);
      const location = set?.locations[0];
      if (set) slot.breakpointId = set.breakpointId;
      if (location) slot.placed = { line: location.lineNumber, column: location.columnNumber ?? 0 };
      else slot.cut = 'V8 found no code there to stop at.';
    }
  }

  async #watch(debug: DebuggerConnection): Promise<void> {
    this.state = 'watching';
    this.#isReady();
    const lookMs = this.params.mode === 'hits' ? CALM_LOOK_MS : LOOK_MS;
    for (;;) {
      const done = await this.#take(debug);
      if (done || this.#stopped || this.session.lost.aborted) return;
      await this.context.sleep(lookMs);
    }
  }

  /** True when there is nothing more to come. */
  async #take(debug: DebuggerConnection): Promise<boolean> {
    const raw = await this.session.agent.call<RawTrace>('trace', 'take');
    this.#reached = raw.reached;
    this.skipped = raw.skipped;
    this.timed = raw.timed;
    if (raw.hits.length > 0) this.around.onHits(raw.hits.map(hit => this.#hit(hit)));
    if (raw.wrapped !== undefined) await this.#endLogpoint(debug, raw.wrapped);
    else await this.#cool(debug);
    return raw.full || (raw.wrapped !== 'yes' && this.#slots.every(({ cut }) => cut !== undefined));
  }

  /** The one hit that was needed to find the method has been. */
  async #endLogpoint(debug: DebuggerConnection, wrapped: 'yes' | 'no'): Promise<void> {
    for (const slot of this.#slots) {
      await remove(debug, slot);
      if (wrapped === 'no') slot.cut = NOT_REACHABLE;
    }
  }

  /** Takes logpoints away that are hit too often; works in the middle of a hot loop too. */
  async #cool(debug: DebuggerConnection): Promise<void> {
    const seconds = (this.context.now() - this.#watchedFrom) / 1000;
    for (const [at, slot] of this.#slots.entries()) {
      const hits = this.#reached[at] ?? 0;
      if (slot.breakpointId === undefined || hits <= BURST_HITS + seconds * MAX_HITS_PER_SECOND) continue;
      await remove(debug, slot);
      slot.counted = { reached: hits, perSecond: hits / seconds };
      slot.cut = `It was reached ${hits} times within ${seconds.toFixed(2)} s; a logpoint costs about 0.1 ms each time.`;
    }
  }

  #hit({ frames, atMs, ...hit }: RawHit): TraceHit {
    return {
      ...hit,
      atMs: this.#openedAtMs + atMs,
      ...(this.around.title === undefined ? {} : { thread: this.around.title }),
      ...(frames && { frames: toFrames(frames, this.#ids) }),
    };
  }
}

/** A function may shadow any name, `globalThis` too; an arrow's constructor is reached without a name. */
const calleeOf = (name: string): string =>
  `(typeof globalThis=='object'&&globalThis?.${name}||(()=>{}).constructor('return globalThis')().${name})`;

const NOT_REACHABLE =
  'It is not called as a method of an object that could be seen, so that it cannot be wrapped without changing the program.';

async function remove(debug: DebuggerConnection, slot: Slot): Promise<void> {
  const { breakpointId } = slot;
  if (breakpointId === undefined) return;
  delete slot.breakpointId;
  await debug.send('Debugger.removeBreakpoint', { breakpointId }, { timeoutMs: CLOSE_MS }).catch(() => undefined); // dies with the wire
}

/** Logpoints for every loaded place; the first of each place is its entry. */
async function slotsOf(debug: DebuggerConnection, params: TraceParams, loaded: ReadonlySet<string>): Promise<Slot[]> {
  const slots: Slot[] = [];
  for (const [at, point] of params.points.entries()) {
    if (!loaded.has(point.url)) continue;
    const spots = point.body ? await spotsIn(debug, point) : undefined;
    const slot = (role: RawSlot['role'], { line, column }: TextSpot): Slot => ({
      role,
      point: at,
      line,
      column,
      url: point.url,
      ...namesOf(params, point, role),
    });
    const entry = spots?.find(spot => !isBefore(spot, point.position)) ?? point.position;
    const returns = spots?.filter(({ type }) => type === 'return') ?? [];
    switch (params.mode) {
      case 'calls':
        slots.push(slot('enter', entry), ...returns.map(spot => slot('leave', spot)));
        break;
      case 'lines':
        slots.push(...firstOfLines(spots ?? []).map(spot => slot('line', spot)), ...returns.map(s => slot('leave', s)));
        break;
      case 'between':
        slots.push(slot(at === 0 ? 'enter' : 'leave', entry));
        break;
      default:
        slots.push(slot(params.mode === 'wrap' ? 'wrap' : 'hit', entry));
    }
  }
  return slots;
}

interface Spot extends TextSpot {
  readonly type: string | undefined;
}

/** Where V8 can stop within the function itself, in the order of the text. */
async function spotsIn(debug: DebuggerConnection, { url, body }: TracePoint): Promise<Spot[] | undefined> {
  const scriptId = [...debug.scripts].filter(([, script]) => script.url === url).at(-1)?.[0];
  if (scriptId === undefined || body === undefined) return undefined;
  const start = { scriptId, lineNumber: body.start.line, columnNumber: body.start.column };
  // The end is exclusive, and an arrow's expression returns right after it.
  const end = { scriptId, lineNumber: body.end.line, columnNumber: body.end.column + 1 };
  const found = await debug
    .send('Debugger.getPossibleBreakpoints', { start, end, restrictToFunction: true })
    .catch(() => undefined);
  const spots = found?.locations.map(({ lineNumber, columnNumber, type }) => ({
    line: lineNumber,
    column: columnNumber ?? 0,
    type,
  }));
  return spots?.length ? spots : undefined;
}

function firstOfLines(spots: readonly Spot[]): Spot[] {
  const lines = new Map<number, Spot>();
  for (const spot of spots) if (spot.type !== 'return' && !lines.has(spot.line)) lines.set(spot.line, spot);
  return [...lines.values()].slice(0, MAX_LINES);
}

const isBefore = (a: TextSpot, b: TextSpot): boolean => a.line < b.line || (a.line === b.line && a.column < b.column);

function namesOf(params: TraceParams, point: TracePoint, role: RawSlot['role']) {
  if (role === 'wrap') return { names: ['this'], identity: [], shown: [] };
  const { condition, expressions, key } = params;
  const shown = expressions.length > 0 ? [] : point.names;
  const identity = key === undefined ? identityOf(params, point) : [];
  const read = [...(condition ? [condition] : []), ...(key ? [key] : []), ...expressions];
  const names = [...new Set([...read.flatMap(({ names }) => names), ...shown, ...identity])];
  return { names, identity, shown };
}

/** Parameters tell calls of one function apart; two places of different functions share none. */
function identityOf({ mode, points }: TraceParams, { body }: TracePoint): readonly string[] {
  if (mode === 'calls' || mode === 'lines') return body?.unchanged ?? [];
  return mode === 'between' && isOneFunction(points) ? (body?.unchanged ?? []) : [];
}

function isOneFunction(points: readonly TracePoint[]): boolean {
  const [a, b] = points;
  return (
    a?.url === b?.url && a?.body?.start.line === b?.body?.start.line && a?.body?.start.column === b?.body?.start.column
  );
}

function planOf(params: TraceParams, slots: readonly Slot[]): RawPlan {
  const { points, mode, condition, key } = params;
  const [first] = points;
  const interleaves = points.some(({ body }) => body?.interleaves) || (mode === 'between' && !isOneFunction(points));
  return {
    slots: slots.map(({ role, point, names, identity, shown, line, column }) => ({
      role,
      point,
      names,
      identity,
      shown,
      line,
      column,
    })),
    ...(condition && { condition: treeOf(condition) }),
    ...(key && { key: treeOf(key) }),
    expressions: params.expressions.map(expression => ({ text: expression.text, tree: treeOf(expression) })),
    stack: params.stack,
    hits: params.hits,
    perSecond: params.perSecond,
    ttlMs: params.seconds * 1000,
    interleaves,
    ...(mode === 'wrap' &&
      first?.body && { method: { name: lastName(first.body.name), parameters: first.body.parameters } }),
  };
}

// It was reduced to what the reader in the target knows when the expression was parsed.
const treeOf = ({ tree }: WatchExpression): Tree => tree as unknown as Tree;

const lastName = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
