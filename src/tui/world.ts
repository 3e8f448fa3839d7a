import type { FlameNode } from '../report/flame.js';
import type { RunState } from '../report/state.js';

/** One piece of evidence, made ready to be read: what a screen can show without knowing any engine. */
export interface EvidenceView {
  readonly title: string;
  readonly sections: readonly EvidenceSection[];
}

export type EvidenceSection =
  | { readonly kind: 'text'; readonly title: string; readonly lines: readonly string[] }
  | { readonly kind: 'curve'; readonly title: string; readonly series: readonly Curve[] }
  | {
      readonly kind: 'table';
      readonly title: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: 'tree'; readonly title: string; readonly roots: readonly TreeNode[] }
  | { readonly kind: 'flame'; readonly title: string; readonly root: FlameNode };

/** One value over time, drawn as a row of bars; `say` is how its last value reads. */
export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
  readonly said: string;
}

export interface TreeNode {
  readonly label: string;
  readonly children: readonly TreeNode[];
  /** Unfolded from the start: what nearly everybody would unfold. */
  readonly open?: boolean;
}

/** A process to choose from when no target was named. */
export interface PickRow {
  readonly pid: number;
  readonly command: string;
  readonly about: string;
  readonly mayAttach: boolean;
}

/** Everything the screens are a function of, besides the state of the interface itself. */
export interface World {
  readonly run: RunState;
  readonly now: number;
  /** Evidence by id, read and digested on demand; undefined while it is not there. */
  readonly view: (id: string) => EvidenceView | undefined;
  /** Requests begun a second, by the id of a reading of traffic; undefined where nothing was served. */
  readonly requestRate?: (id: string) => number | undefined;
  readonly overhead?: { readonly cpuPercent: number; readonly rssBytes: number };
  readonly consent?: { readonly title: string; readonly costs: string; readonly helps: string };
  readonly choices?: readonly PickRow[];
  /** What can look, for whoever chooses; absent in a replay. */
  readonly skills?: readonly { readonly id: string; readonly title: string }[];
  /** The last question and what was said to it. */
  readonly answer?: { readonly question: string; readonly text: string };
  /** Set while a recorded run is shown. */
  readonly replay?: Replay;
}

/** Where on its time line a recorded run stands. */
export interface Replay {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly playing: boolean;
  readonly speed: number;
  /** Moments a person would stop at, for the time line's marks. */
  readonly notable: readonly { readonly at: number; readonly bad: boolean }[];
  readonly annotations: readonly { readonly at: number; readonly text: string }[];
  readonly stateAt: (at: number) => RunState;
}
