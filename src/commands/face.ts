import type { LensEvent } from '../model/event.js';
import type { RunState } from '../report/state.js';
import type { World } from '../tui/world.js';

/** What stands on a screen beside the run itself. */
export type Extras = Partial<Pick<World, 'overhead' | 'consent' | 'choices' | 'skills' | 'replay' | 'answer'>>;

/** Where a live investigation shows itself: a screen, or lines one after the other. */
export interface Face {
  readonly run: RunState;
  event(event: LensEvent): void;
  /** Puts a whole state in place: a new investigation, or a moment of a recorded one. */
  reset(run: RunState): void;
  extras(extras: Extras): void;
  without(name: keyof Extras): void;
  notice(text: string): void;
  /** Shows one piece of evidence. */
  open(evidenceId: string): void;
}
