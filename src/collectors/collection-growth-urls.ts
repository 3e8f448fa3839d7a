import type {
  ClosureChain,
  Container,
  EntrySample,
  GrowingContainer,
  PathStep,
  SizedContainer,
} from '../model/evidence/collection-growth.js';
import type { ScriptPosition } from '../model/location.js';

interface Rows {
  readonly closureChains: readonly ClosureChain[];
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
  const ids = new Map([...urls].map(([id, url]) => [url.replace('file://', ''), id]));
  const find: Find = file => {
    const scriptId = ids.get(file);
    return scriptId === undefined ? undefined : { scriptId, url: urls.get(scriptId) ?? file, line: 0, column: 0 };
  };
  const growing = rows.growing.map(row => namedRow(row, locate, find));
  const biggest = rows.biggest.map(row => namedRow(row, locate, find));
  const closureChains = rows.closureChains.map(chain => ({
    ...chain,
    path: chain.path.map(step => namedStep(step, locate, find)),
  }));
  return { growing, biggest, closureChains, missing };
}

type Locate = (position: ScriptPosition) => ScriptPosition;
type Find = (file: string) => ScriptPosition | undefined;

function namedRow<R extends Container & { readonly entry: EntrySample }>(row: R, locate: Locate, find: Find): R {
  const { timer, entry, ownerCode, classCode } = row;
  const callback = timer?.callback;
  return {
    ...row,
    path: row.path.map(step => namedStep(step, locate, find)),
    ...(ownerCode && { ownerCode: locate(ownerCode) }),
    ...(classCode && { classCode: locate(classCode) }),
    entry: {
      ...entry,
      ...(entry.code && { code: locate(entry.code) }),
      ...(entry.within && { within: locate(entry.within) }),
    },
    ...(callback && { timer: { ...timer, callback: locate(callback) } }),
  };
}

function namedStep(step: PathStep, locate: Locate, find: Find): PathStep {
  if (step.kind === 'variable') return { ...step, seenBy: locate(step.seenBy) };
  if (step.kind !== 'root') return step;
  const script = step.name.startsWith('module ') ? find(step.name.slice('module '.length)) : undefined;
  return script ? { ...step, script } : step;
}
