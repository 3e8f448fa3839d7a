/** The screens, in the order of their keys. */
export const SCREENS = ['overview', 'investigation', 'evidence', 'source', 'report'] as const;
export type Screen = (typeof SCREENS)[number];

/** A screen's tab, as it stands in the second row; closer together where the row is short. */
export function tabOf(screen: Screen, width: number): string {
  const name = `${SCREENS.indexOf(screen) + 1} ${screen} `;
  return width < WIDE_TABS ? name : ` ${name}`;
}

/** All tabs with a blank on both sides. */
const WIDE_TABS = 62;

export type Overlay =
  | { readonly kind: 'none' }
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'palette'; readonly input: string; readonly index: number }
  | { readonly kind: 'filter'; readonly input: string }
  | { readonly kind: 'ask'; readonly input: string }
  | { readonly kind: 'note'; readonly input: string }
  | { readonly kind: 'compare' }
  /** The skills that look next, by id. */
  | { readonly kind: 'skills'; readonly index: number; readonly chosen: readonly string[] };

/** What was folded and unfolded by hand, on the opened evidence. */
export interface Folds {
  /** Every node that has no say of its own. */
  readonly rest?: boolean;
  /** By the node's place: section, root, child, … with dots between. */
  readonly own: { readonly [place: string]: boolean };
}

/** What the interface itself remembers. Everything else is the run's. */
export interface Ui {
  readonly screen: Screen;
  readonly overlay: Overlay;
  /** Index into the list of each screen. */
  readonly cursor: { readonly [S in Screen]: number };
  /** First line shown of each screen's detail. */
  readonly scroll: { readonly [S in Screen]: number };
  readonly filter: string;
  /** The evidence that is opened, on the evidence screen. */
  readonly opened?: string;
  /** The line of the opened evidence that keys act on. */
  readonly line: number;
  readonly folds: Folds;
  /** Whether lens hears the mouse; if not, the terminal selects and copies with it as ever. */
  readonly mouse: boolean;
  readonly notice?: string;
  /** Evidence that goes into the written report. */
  readonly pinned: readonly string[];
  /** In a replay: the moment to compare with. */
  readonly marked?: number;
}

export const initialUi: Ui = {
  screen: 'overview',
  overlay: { kind: 'none' },
  cursor: { overview: 0, investigation: 0, evidence: 0, source: 0, report: 0 },
  scroll: { overview: 0, investigation: 0, evidence: 0, source: 0, report: 0 },
  filter: '',
  line: 0,
  folds: { own: {} },
  mouse: false,
  pinned: [],
};

/** What a key asks the program to do: the one narrow door from the screen back to the run. */
export type UiCommand =
  | { readonly do: 'quit' }
  /** Conclude; with `orLeave` (Ctrl-C) leave when there is nothing left to conclude. */
  | { readonly do: 'interrupt'; readonly orLeave: boolean }
  | { readonly do: 'rerun'; readonly reason: string }
  /** Investigate with these skills alone. */
  | { readonly do: 'look'; readonly skills: readonly string[] }
  /** Pause the investigation, or let it go on. */
  | { readonly do: 'hold'; readonly held: boolean }
  | { readonly do: 'ask'; readonly text: string }
  | { readonly do: 'read'; readonly kind: string }
  | { readonly do: 'write-report'; readonly pinned: readonly string[] }
  | { readonly do: 'copy'; readonly text: string }
  | { readonly do: 'consent'; readonly given: boolean }
  | { readonly do: 'choose'; readonly pid: number }
  | { readonly do: 'mouse'; readonly on: boolean }
  | { readonly do: 'redraw' }
  | { readonly do: 'suspend' }
  | { readonly do: 'seek'; readonly to: number }
  | { readonly do: 'play' }
  | { readonly do: 'faster'; readonly by: number }
  /** To the next event, or to the next that a person would stop at. */
  | { readonly do: 'step'; readonly by: 1 | -1; readonly notable: boolean }
  | { readonly do: 'annotate'; readonly text: string };
