import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import type { LensEvent } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import { initialState, type RunState, reduce } from '../report/state.js';
import { type RecordedRun, readRun } from '../stores/recorded-run.js';
import { runsHome } from '../stores/run-directory.js';
import type { UiCommand } from '../tui/ui.js';
import type { Replay as ReplayWorld } from '../tui/world.js';
import { leaveOnSignals, requireTerminal } from './attach.js';
import { requestRate } from './evidence/request-rate.js';
import { viewOf } from './evidence/view.js';
import { EXIT } from './exit.js';
import { LinearFace } from './linear-face.js';
import { evidenceOf } from './recorded-evidence.js';
import { endOf } from './recorded-state.js';
import { withSampledVitals } from './recorded-vitals.js';
import { openScreen, type Screen, type ScreenOptions } from './screen.js';
import { wantsLines } from './terminal.js';
import { writeReports } from './written-report.js';

export interface ReplayOptions extends ScreenOptions {
  readonly screenReader?: boolean;
  readonly speed: number;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('the same screens over a recorded run, with a time line')
    .argument('<run>', 'a run directory, its run.ndjson, or a run id')
    .option('--speed <factor>', 'how fast it plays', Number, 1)
    .option('--no-alt-screen', 'stay in the normal screen, so that the terminal keeps its history')
    .option('--mouse', 'wheel and clicks (key M takes and gives it back); off, the terminal selects text as ever')
    .option('--ascii', 'draw with ASCII characters alone')
    .option('--screen-reader', 'plain lines one after the other')
    .action(async (run: string, options: ReplayOptions) => {
      const recorded = readRun(run, runsHome(process.env));
      endOf(recorded);
      if (options.screenReader || wantsLines(process.env)) return printRun(recorded);
      requireTerminal('replay', 'Use `lens report RUN` for the report as text.');
      process.exitCode = await replayOnScreen(recorded, options);
    });
}

function printRun({ events }: RecordedRun): void {
  const face = new LinearFace(text => process.stdout.write(`${text}\n`), '');
  for (const event of events) face.event(event);
}

/** A step of the play is this long: as many frames a second as a live screen has at most. */
const TICK_MS = 250;
const SPEEDS = { slowest: 0.25, fastest: 64 } as const;

async function replayOnScreen(recorded: RecordedRun, options: ReplayOptions): Promise<number> {
  const screen = openScreen(options);
  let leave: (code: number) => void = () => undefined;
  const left = new Promise<number>(resolve => {
    leave = resolve;
  });
  let failure: Error | undefined;
  const release = leaveOnSignals(leave, error => {
    failure ??= error;
  });
  try {
    const replay = new Replay(recorded, screen, options.speed, leave);
    await screen.startInk();
    const code = await left;
    replay.halt();
    if (failure) throw failure;
    return code;
  } finally {
    release();
    screen.close();
  }
}

class Replay {
  readonly #evidence: ReadonlyMap<string, Evidence>;
  readonly #states: StatesOverTime;
  readonly #notesPath: string;
  #notes: ReplayWorld['annotations'];
  #at: number;
  #speed: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    recorded: RecordedRun,
    private readonly screen: Screen,
    speed: number,
    private readonly leave: (code: number) => void,
  ) {
    this.#evidence = evidenceOf(recorded);
    this.#states = new StatesOverTime(withSampledVitals(recorded.events, this.#evidence));
    this.#notesPath = join(dirname(recorded.path), 'annotations.json');
    this.#notes = readNotes(this.#notesPath);
    this.#speed = clampSpeed(speed);
    this.#at = this.#states.from;
    screen.show.setting.now = () => this.#at;
    screen.show.setting.view = id => {
      const found = this.#evidence.get(id);
      return found && viewOf(found);
    };
    screen.show.setting.requestRate = id => requestRate(this.#evidence.get(id));
    screen.show.setting.onCommand = command => this.#perform(command);
    this.#play();
    this.#put(this.#at);
    if (recorded.truncated) screen.show.notice('The recording is cut off: lens or the machine died while writing it.');
  }

  halt(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #play(): void {
    if (this.#at >= this.#states.to) this.#at = this.#states.from;
    this.#timer = setInterval(() => {
      this.#put(this.#at + TICK_MS * this.#speed);
      if (this.#at >= this.#states.to) this.#halted();
    }, TICK_MS);
  }

  #halted(): void {
    this.halt();
    this.#put(this.#at);
  }

  #put(at: number): void {
    const { from, to, notable } = this.#states;
    this.#at = Math.min(to, Math.max(from, at));
    this.screen.show.reset(this.#states.at(this.#at));
    this.screen.show.extras({
      replay: {
        at: this.#at,
        from,
        to,
        playing: this.#timer !== undefined,
        speed: this.#speed,
        notable,
        annotations: this.#notes,
        stateAt: time => this.#states.at(time),
      },
    });
  }

  #perform(command: UiCommand): void {
    switch (command.do) {
      case 'quit':
        this.leave(EXIT.done);
        break;
      case 'interrupt':
        this.leave(EXIT.interrupted);
        break;
      case 'play':
        if (this.#timer) this.halt();
        else this.#play();
        this.#put(this.#at);
        break;
      case 'faster':
        this.#speed = clampSpeed(this.#speed * command.by);
        this.#put(this.#at);
        break;
      case 'seek':
        this.#put(command.to);
        break;
      case 'step':
        this.halt();
        this.#put(this.#states.next(this.#at, command.by, command.notable));
        break;
      case 'annotate':
        this.#annotate(command.text);
        break;
      case 'write-report':
        this.#write(command.pinned);
        break;
      case 'copy':
        this.screen.terminal.copy(command.text);
        break;
      case 'mouse':
        this.screen.terminal.mouse(command.on);
        break;
      case 'redraw':
        this.screen.redraw();
        break;
      case 'suspend':
        this.screen.suspend();
        break;
      default:
        break;
    }
  }

  #annotate(text: string): void {
    const notes = [...this.#notes, { at: this.#at, text }].sort((a, b) => a.at - b.at);
    try {
      writeFileSync(this.#notesPath, `${JSON.stringify(notes, null, 2)}\n`, { mode: 0o600 });
      this.#notes = notes;
      this.#put(this.#at);
      this.screen.show.notice('The note is kept beside the run.');
    } catch (error) {
      this.screen.show.notice(`The note could not be kept: ${(error as Error).message}`);
    }
  }

  #write(pinned: readonly string[]): void {
    const views = pinned.flatMap(id => this.#evidence.get(id) ?? []).map(viewOf);
    const said = writeReports(this.screen.show.run, views, [...this.#evidence.values()], writeFileSync);
    this.screen.show.notice(said);
  }
}

function clampSpeed(speed: number): number {
  return Number.isFinite(speed) ? Math.min(SPEEDS.fastest, Math.max(SPEEDS.slowest, speed)) : 1;
}

/** A fold is kept every so many events, so that going back costs no more than going on. */
const CHECKPOINT_EVERY = 100;

/** The state of a recorded run at any moment: the fold of the events until then. */
export class StatesOverTime {
  readonly from: number;
  readonly to: number;
  readonly notable: ReplayWorld['notable'];
  readonly #checkpoints: RunState[] = [initialState];

  constructor(private readonly events: readonly LensEvent[]) {
    this.from = events[0]?.at ?? 0;
    this.to = events.at(-1)?.at ?? 0;
    this.notable = events.flatMap(event =>
      isNotable(event) ? [{ at: event.at, bad: event.type !== 'run.finished' }] : [],
    );
  }

  at(time: number): RunState {
    const count = this.#countUntil(time);
    const base = Math.floor(count / CHECKPOINT_EVERY);
    for (let i = this.#checkpoints.length; i <= base; i++)
      this.#checkpoints.push(
        this.#fold(this.#checkpoints[i - 1] ?? initialState, (i - 1) * CHECKPOINT_EVERY, i * CHECKPOINT_EVERY),
      );
    return this.#fold(this.#checkpoints[base] ?? initialState, base * CHECKPOINT_EVERY, count);
  }

  /** The moment of the next event, or of the next notable one; the same moment when there is none. */
  next(time: number, by: 1 | -1, notable: boolean): number {
    const moments = (notable ? this.notable : this.events).map(({ at }) => at);
    const found = by === 1 ? moments.find(at => at > time) : moments.findLast(at => at < time);
    return found ?? (by === 1 ? this.to : this.from);
  }

  #countUntil(time: number): number {
    const after = this.events.findIndex(event => event.at > time);
    return after < 0 ? this.events.length : after;
  }

  #fold(state: RunState, from: number, to: number): RunState {
    return this.events.slice(from, to).reduce(reduce, state);
  }
}

function isNotable(event: LensEvent): boolean {
  if (event.type === 'operator.state') return event.to === 'warning' || event.to === 'critical';
  return ['notification.raised', 'insight.produced', 'target.lost', 'run.finished'].includes(event.type);
}

function readNotes(path: string): ReplayWorld['annotations'] {
  if (!existsSync(path)) return [];
  try {
    const notes: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(notes) ? notes.filter(isNote) : [];
  } catch {
    return []; // somebody else's file of that name
  }
}

function isNote(note: unknown): note is ReplayWorld['annotations'][number] {
  const { at, text } = (note ?? {}) as { readonly at?: unknown; readonly text?: unknown };
  return typeof at === 'number' && typeof text === 'string';
}
