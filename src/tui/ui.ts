/** The screens, in the order of their keys. */
export const SCREENS = ['overview', 'investigation', 'evidence', 'source', 'report'] as const;
export type Screen = (typeof SCREENS)[number];

export type Overlay =
  | { readonly kind: 'none' }
  | { readonly kind: 'help' }
  | { readonly kind: 'palette'; readonly input: string; readonly index: number }
  | { readonly kind: 'filter'; readonly input: string }
  | { readonly kind: 'ask'; readonly input: string };

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
}

export const initialUi: Ui = {
  screen: 'overview',
  overlay: { kind: 'none' },
  cursor: { overview: 0, investigation: 0, evidence: 0, source: 0, report: 0 },
  scroll: { overview: 0, investigation: 0, evidence: 0, source: 0, report: 0 },
  filter: '',
  paused: false,
};

/** What a key asks the program to do: the one narrow door from the screen back to the run. */
export type UiCommand =
  | { readonly do: 'quit' }
  | { readonly do: 'interrupt' }
  | { readonly do: 'rerun'; readonly reason: string }
  | { readonly do: 'ask'; readonly text: string }
  | { readonly do: 'read'; readonly kind: string }
  | { readonly do: 'pin'; readonly evidenceId: string }
  | { readonly do: 'write-report' }
  | { readonly do: 'copy'; readonly text: string }
  | { readonly do: 'consent'; readonly given: boolean }
  | { readonly do: 'choose'; readonly pid: number }
  | { readonly do: 'redraw' }
  | { readonly do: 'suspend' }
  | { readonly do: 'seek'; readonly to: number }
  | { readonly do: 'play' };
