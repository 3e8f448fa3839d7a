const KIB = 1024;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `1536` → `1.5 kB`; three significant digits at most. */
export function sayBytes(bytes: number): string {
  const sign = bytes < 0 ? '-' : '';
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= KIB && unit < UNITS.length - 1) {
    value /= KIB;
    unit++;
  }
  return `${sign}${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const HOUR_MS = 3_600_000;

/** `1534` → `1.5 s`, `12.34` → `12 ms`, `0.31` → `0.3 ms`, a working week → `5 days`. */
export function sayMs(ms: number): string {
  if (ms >= 72 * HOUR_MS) return `${Math.round(ms / (24 * HOUR_MS))} days`;
  if (ms >= 3 * HOUR_MS) return `${Math.round(ms / HOUR_MS)} h`;
  if (ms >= 120_000) return `${Math.round(ms / 60_000)} min`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms >= 10_000 ? 0 : 1)} s`;
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** `0.4213` → `42 %`. */
export function sayShare(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `12345` → `12 345`. */
export function sayCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}
