import type { RunState } from '../report/state.js';

/** One piece of evidence, made ready to be read: what a screen can show without knowing any engine. */
export interface EvidenceView {
  readonly title: string;
  readonly sections: readonly EvidenceSection[];
}

export type EvidenceSection =
  | { readonly kind: 'text'; readonly title: string; readonly lines: readonly string[] }
  | {
      readonly kind: 'table';
      readonly title: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: 'tree'; readonly title: string; readonly roots: readonly TreeNode[] }
  | { readonly kind: 'flame'; readonly title: string; readonly root: FlameNode };

export interface TreeNode {
  readonly label: string;
  readonly children: readonly TreeNode[];
}

export interface FlameNode {
  readonly name: string;
  readonly value: number;
  readonly children: readonly FlameNode[];
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
  readonly overhead?: { readonly cpuPercent: number; readonly rssBytes: number };
  readonly consent?: { readonly title: string; readonly costs: string; readonly helps: string };
  readonly choices?: readonly PickRow[];
  /** Set while a recorded run is shown: where on its time line. */
  readonly replay?: {
    readonly at: number;
    readonly from: number;
    readonly to: number;
    readonly playing: boolean;
    readonly speed: number;
  };
}
