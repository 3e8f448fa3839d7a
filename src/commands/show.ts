import type { LensEvent } from '../model/event.js';
import { initialState, type RunState, reduce } from '../report/state.js';
import type { Scene, Stage } from '../tui/app.js';
import { type Key, opening, press } from '../tui/keys.js';
import type { Size } from '../tui/size.js';
import { initialUi, type Ui, type UiCommand } from '../tui/ui.js';
import type { EvidenceView, World } from '../tui/world.js';
import type { Extras, Face } from './face.js';

/** Two frames a second at most come from events: lens may run on the sick host. A key is answered at once. */
const FRAME_MS = 500;

export interface ShowSetting {
  readonly ascii: boolean;
  readonly color: boolean;
  readonly size: () => Size;
  readonly mouse?: boolean;
  /** Set once there is something to read and somebody to obey. */
  view?: (id: string) => EvidenceView | undefined;
  requestRate?: (id: string) => number | undefined;
  /** A recorded run has a clock of its own. */
  now?: () => number;
  onCommand?: (command: UiCommand) => void;
}

/** Holds what the screen is a function of, and tells Ink when it has changed. */
export class Show implements Stage, Face {
  #run: RunState = initialState;
  #ui: Ui;
  #extras: Extras = {};
  #scene: Scene;
  #digest: { readonly id: string; readonly view: EvidenceView | undefined } | undefined;
  #shownAt = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(readonly setting: ShowSetting) {
    this.#ui = { ...initialUi, mouse: setting.mouse ?? false };
    this.#scene = this.#compose();
  }

  readonly current = (): Scene => this.#scene;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Keys that came together are one frame: a paste of rubbish is not a hundred frames. */
  readonly onKeys = (keys: readonly Key[]): void => {
    for (const key of keys) this.#onKey(key);
    if (keys.length > 0) this.refresh();
  };

  #onKey(key: Key): void {
    const { ui, command } = press(this.#ui, key, this.#compose().world, this.#scene.size);
    this.#ui = ui;
    if (command) this.setting.onCommand?.(command);
  }

  get run(): RunState {
    return this.#run;
  }

  event(event: LensEvent): void {
    this.#run = reduce(this.#run, event);
    this.#soon();
  }

  /** Puts a whole state on the screen: a new investigation, or a moment of a recorded one. */
  reset(run: RunState): void {
    if (run.runId !== this.#run.runId) this.#digest = undefined;
    this.#run = run;
    this.#soon();
  }

  extras(extras: Extras): void {
    this.#extras = { ...this.#extras, ...extras };
    this.#soon();
  }

  without(name: keyof Extras): void {
    const { [name]: _gone, ...rest } = this.#extras;
    this.#extras = rest;
    this.#soon();
  }

  notice(text: string): void {
    this.#ui = { ...this.#ui, notice: text };
    this.refresh();
  }

  open(evidenceId: string): void {
    const { notice: _done, ...ui } = this.#ui;
    this.#ui = opening(ui, evidenceId);
    this.refresh();
  }

  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scene = this.#compose();
    this.#shownAt = performance.now();
    for (const listener of this.#listeners) listener();
  }

  /** At once after a rest, else with the next frame. */
  #soon(): void {
    const since = performance.now() - this.#shownAt;
    this.#timer ??= setTimeout(() => this.refresh(), Math.max(0, FRAME_MS - since)).unref();
  }

  /** Digesting a profile takes longer than a frame may: the last one shown is kept. */
  #digested(view: (id: string) => EvidenceView | undefined): World['view'] {
    return id => {
      if (this.#digest?.id !== id) this.#digest = { id, view: view(id) };
      return this.#digest.view;
    };
  }

  #compose(): Scene {
    const { ascii, color, size, view = () => undefined, now = Date.now } = this.setting;
    const world: World = {
      run: this.#run,
      now: now(),
      view: this.#digested(view),
      ...(this.setting.requestRate && { requestRate: this.setting.requestRate }),
      ...this.#extras,
    };
    return { world, ui: this.#ui, size: size(), ascii, color };
  }
}
