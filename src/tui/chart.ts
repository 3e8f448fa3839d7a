const BLOCKS = '▁▂▃▄▅▆▇█';
const ASCII = '_.-~=+*#';

/** The newest `width` values as one row of bars, scaled from `low` to `high`; a value that is not known is a gap. */
export function sparkline(
  values: readonly number[],
  width: number,
  range: { low: number; high: number },
  ascii: boolean,
): string {
  const bars = ascii ? ASCII : BLOCKS;
  const span = range.high - range.low || 1;
  return values
    .slice(-width)
    .map(value => {
      if (!Number.isFinite(value)) return ' ';
      const level = Math.round(((value - range.low) / span) * (bars.length - 1));
      return bars[Math.min(bars.length - 1, Math.max(0, level))];
    })
    .join('')
    .padStart(width);
}

/** A filled share of `width` cells. */
export function bar(share: number, width: number, ascii: boolean): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return (ascii ? '#' : '█').repeat(filled) + (ascii ? '.' : '░').repeat(width - filled);
}

/**
 * The newest values as a chart `height` rows high, the top row first. Each column is one value (or the highest of
 * several, so that a peak is never lost); a value that is not known is a gap.
 */
export function columns(
  values: readonly number[],
  size: { readonly width: number; readonly height: number },
  high: number,
  ascii: boolean,
): string[] {
  const bars = ascii ? ASCII : BLOCKS;
  const shown = values.slice(-size.width);
  const levels = shown.map(v =>
    Number.isFinite(v)
      ? Math.max(1, Math.round(Math.min(1, Math.max(0, v / (high || 1))) * size.height * bars.length))
      : 0,
  );
  return Array.from({ length: size.height }, (_, row) => {
    const floor = (size.height - 1 - row) * bars.length;
    return levels
      .map(level => (level <= floor ? ' ' : (bars[Math.min(bars.length, level - floor) - 1] ?? ' ')))
      .join('')
      .padStart(size.width);
  });
}
