import { InvalidArgumentError } from 'commander';

const MS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `500ms`, `30s`, `5m`, `2h` in milliseconds; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (MS[unit] ?? Number.NaN);
}

/** For commander: a duration, or an error that shows how to write one; a bare number is seconds. */
export function duration(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : durationMs(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('Write it as 30s, 5m or 2h.');
  return ms;
}
