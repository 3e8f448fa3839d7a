import { readFile } from 'node:fs/promises';

/** Share of time, in percent over ten seconds, in which some or all tasks waited for the resource. */
export interface Pressure {
  readonly some10: number;
  readonly full10: number;
}

export function parsePressure(text: string): Pressure | undefined {
  const average = (who: string) => new RegExp(`^${who} avg10=([\\d.]+)`, 'm').exec(text)?.[1];
  const some = average('some');
  return some === undefined ? undefined : { some10: Number(some), full10: Number(average('full') ?? 0) };
}

export async function readPressure(resource: 'cpu' | 'memory' | 'io'): Promise<Pressure | undefined> {
  return parsePressure(await readFile(`/proc/pressure/${resource}`, 'utf8').catch(() => ''));
}

/** Runnable tasks, averaged over one, five and fifteen minutes. */
export async function readLoad(): Promise<readonly [number, number, number] | undefined> {
  const [one, five, fifteen] = (await readFile('/proc/loadavg', 'utf8').catch(() => '')).split(' ').map(Number);
  return one && five !== undefined && fifteen !== undefined ? [one, five, fifteen] : undefined;
}

/** Ticks of all cores since boot. */
export interface CpuTicks {
  readonly total: number;
  readonly idle: number;
  /** Taken by the hypervisor for somebody else. */
  readonly stolen: number;
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal (guest times are within user). */
export function parseCpuTicks(text: string): CpuTicks | undefined {
  const ticks = /^cpu +([\d ]+)$/m.exec(text)?.[1]?.split(' ').map(Number).slice(0, 8);
  if (!ticks) return undefined;
  const total = ticks.reduce((sum, tick) => sum + tick, 0);
  return { total, idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), stolen: ticks[7] ?? 0 };
}

export async function readCpuTicks(): Promise<CpuTicks | undefined> {
  return parseCpuTicks(await readFile('/proc/stat', 'utf8').catch(() => ''));
}
