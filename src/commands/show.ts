import type { LensEvent } from '../model/event.js';
import { initialState, type RunState, reduce } from '../report/state.js';
import type { Scene, Stage } from '../tui/app.js';
import { type Key, press } from '../tui/keys.js';
import { initialUi, type Ui, type UiCommand } from '../tui/ui.js';
import type { EvidenceView, World } from '../tui/world.js';

/** At most so many frames a second come from events; a key is answered at once. */
const FRAME_MS = 400;

export interface ShowOptions {
  readonly ascii: boolean;
  readonly color: boolean;
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly view: (id: string) => EvidenceView | undefined;
  readonly onCommand: (command: UiCommand) => void;
}

type Extras = Partial<Pick<World, 'overhead' | 'consent' | 'choices' | 'replay'>>;

/** Holds what the screen is a function of, and tells Ink when it has changed. */
export class Show implements Stage {
  #run: RunState = initialState;
  #ui: Ui = initialUi;
  #extras: Extras = {};
  #scene: Scene;
  #frozen: RunState | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly options: ShowOptions) {
    this.#scene = this.#compose();
  }

  readonly current = (): Scene => this.#scene;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly onKey = (key: Key): void => {
    const { ui, command } = press(this.#ui, key, this.#scene.world);
    if (ui.paused !== this.#ui.paused) this.#frozen = ui.paused ? this.#run : undefined;
    this.#ui = ui;
    if (command) this.options.onCommand(command);
    this.refresh();
  };

  get run(): RunState {
    return this.#run;
  }

  event(event: LensEvent): void {
    this.#run = reduce(this.#run, event);
    this.#soon();
  }

  /** Puts a whole state on the screen: a new investigation, or a moment of a recorded one. */
  reset(run: RunState): void {
    this.#run = run;
    this.#soon();
  }

  extras(extras: Extras): void {
    this.#extras = { ...this.#extras, ...extras };
    this.refresh();
  }

  without(name: keyof Extras): void {
    const { [name]: _gone, ...rest } = this.#extras;
    this.#extras = rest;
    this.refresh();
  }

  notice(text: string): void {
    this.#ui = { ...this.#ui, notice: text };
    this.refresh();
  }

  open(evidenceId: string): void {
    this.#ui = { ...this.#ui, screen: 'evidence', opened: evidenceId };
    this.refresh();
  }

  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scene = this.#compose();
    for (const listener of this.#listeners) listener();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.refresh(), FRAME_MS).unref();
  }

  #compose(): Scene {
    const { ascii, color, size, view } = this.options;
    const world: World = { run: this.#frozen ?? this.#run, now: Date.now(), view, ...this.#extras };
    return { world, ui: this.#ui, size: size(), ascii, color };
  }
}
