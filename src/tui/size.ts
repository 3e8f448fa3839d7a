export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Smaller than this nothing useful fits. */
export const MIN_SIZE: Size = { columns: 60, rows: 15 };
/** From here on there is room for a second pane. */
export const TWO_PANES: Size = { columns: 100, rows: 24 };
export const HEADER = 2;
const FOOTER = 1;

/** What is left between the header and the footer. */
export function bodySize(size: Size): Size {
  return { columns: size.columns, rows: Math.max(1, size.rows - HEADER - FOOTER) };
}

export function hasTwoPanes(size: Size): boolean {
  return size.columns >= TWO_PANES.columns && size.rows + HEADER + FOOTER >= TWO_PANES.rows;
}
