import { LensError } from '../model/error.js';
import { initialState, type RunState, reduce } from '../report/state.js';
import type { RecordedRun } from '../stores/recorded-run.js';

/** Where a recorded run ends. Throws LensError `file-malformed` when somebody has edited what lens wrote. */
export function endOf({ path, events }: RecordedRun): RunState {
  let state = initialState;
  for (const event of events) {
    try {
      state = reduce(state, event);
    } catch (cause) {
      throw new LensError(
        'file-malformed',
        `${path} holds an event ${event.type} without what belongs to it.`,
        'Was the file edited? `lens report` needs it as lens wrote it.',
        { cause },
      );
    }
  }
  if (state.runId === '')
    throw new LensError('file-malformed', `${path} holds no run.`, 'Give a run directory or its run.ndjson.');
  return state;
}
