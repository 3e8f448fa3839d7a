import { readProc } from './status.js';

/** A soft limit, in its own unit; undefined: unlimited. */
export interface Limits {
  readonly openFiles?: number;
  readonly processes?: number;
}

export function parseLimits(text: string): Limits {
  const soft = (name: string) => Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  const [openFiles, processes] = [soft('Max open files'), soft('Max processes')];
  return {
    ...(!Number.isNaN(openFiles) && { openFiles }),
    ...(!Number.isNaN(processes) && { processes }),
  };
}

export async function readLimits(pid: number): Promise<Limits> {
  return parseLimits((await readProc(pid, 'limits')) ?? '');
}
