import type { RunState } from './state.js';

/** A call tree for a picture: `value` in microseconds of work, children included. */
export interface FlameNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly FlameNode[];
}

export interface HtmlExtras {
  readonly flame?: { readonly evidenceId: string; readonly root: FlameNode };
}

export function htmlOf(_run: RunState, _extras: HtmlExtras): string {
  return '';
}
