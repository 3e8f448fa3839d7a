/** The screens, in the order of their keys. */
export const SCREENS = ['overview', 'investigation', 'evidence', 'source', 'report'] as const;
export type Screen = (typeof SCREENS)[number];

export type Overlay =
  | { readonly kind: 'none' }
  | { readonly kind: 'help' }
  | { readonly kind: 'palette'; readonly input: string; readonly index: number }
  | { readonly kind: 'filter'; readonly input: string }
  | { readonly kind: 'ask'; readonly input: string }
  | { readonly kind: 'note'; readonly input: string }
  | { readonly kind: 'compare' };

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
  readonly paused: boolean;
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
  paused: false,
  pinned: [],
};

/** What a key asks the program to do: the one narrow door from the screen back to the run. */
export type UiCommand =
  | { readonly do: 'quit' }
  /** Conclude; with `orLeave` (Ctrl-C) leave when there is nothing left to conclude. */
  | { readonly do: 'interrupt'; readonly orLeave: boolean }
  | { readonly do: 'rerun'; readonly reason: string }
  | { readonly do: 'ask'; readonly text: string }
  | { readonly do: 'read'; readonly kind: string }
  | { readonly do: 'write-report'; readonly pinned: readonly string[] }
  | { readonly do: 'copy'; readonly text: string }
  | { readonly do: 'consent'; readonly given: boolean }
  | { readonly do: 'choose'; readonly pid: number }
  | { readonly do: 'redraw' }
  | { readonly do: 'suspend' }
  | { readonly do: 'seek'; readonly to: number }
  | { readonly do: 'play' }
  | { readonly do: 'faster'; readonly by: number }
  /** To the next event, or to the next that a person would stop at. */
  | { readonly do: 'step'; readonly by: 1 | -1; readonly notable: boolean }
  | { readonly do: 'annotate'; readonly text: string };
