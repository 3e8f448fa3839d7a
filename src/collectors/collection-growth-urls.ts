import type {
  Container,
  EntrySample,
  GrowingContainer,
  PathStep,
  SizedContainer,
} from '../model/evidence/collection-growth.js';
import type { ScriptPosition } from '../model/location.js';

interface Rows {
  readonly growing: readonly GrowingContainer[];
  readonly biggest: readonly SizedContainer[];
}

/** The target knows scripts by id only: writes their urls in. `missing` when a script came after the list was made. */
export function withUrls(rows: Rows, urls: ReadonlyMap<string, string>): Rows & { readonly missing: boolean } {
  let missing = false;
  const locate = (position: ScriptPosition): ScriptPosition => {
    const url = urls.get(position.scriptId);
    missing ||= url === undefined && position.scriptId !== '';
    return { ...position, url: url ?? '' };
  };
  const growing = rows.growing.map(row => namedRow(row, locate));
  const biggest = rows.biggest.map(row => namedRow(row, locate));
  return { growing, biggest, missing };
}

type Locate = (position: ScriptPosition) => ScriptPosition;

function namedRow<R extends Container & { readonly entry: EntrySample }>(row: R, locate: Locate): R {
  const { timer, entry } = row;
  const callback = timer?.callback;
  return {
    ...row,
    path: row.path.map(step => namedStep(step, locate)),
    entry: entry.code ? { ...entry, code: locate(entry.code) } : entry,
    ...(callback && { timer: { ...timer, callback: locate(callback) } }),
  };
}

function namedStep(step: PathStep, locate: Locate): PathStep {
  return step.kind === 'variable' ? { ...step, seenBy: locate(step.seenBy) } : step;
}
