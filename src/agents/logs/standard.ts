import type { PartHost } from '../host.js';
import type { Inside } from '../inside.js';

const { getOwnPropertyDescriptor: describe } = Reflect;

export interface StandardStream {
  readonly writableLength?: number;
}

export type Standards = (name: 'stdout' | 'stderr') => StandardStream | undefined;

/**
 * process.stdout and process.stderr as far as the program has made them. Asking for one makes it: a pipe then no longer
 * blocks (an fs.writeSync to it fails with EAGAIN), a terminal gets a listener for its size.
 */
export function standards(host: PartHost, inside: Inside): Standards {
  const proc = host.require('node:process') as NodeJS.Process;
  const { isMainThread } = host.require('node:worker_threads') as typeof import('node:worker_threads');
  return name => {
    const slot = describe(proc, name);
    // A thread's are made with it.
    const found: unknown = isMainThread && slot?.get ? made(inside, slot.get, name) : proc[name];
    return typeof found === 'object' && found !== null ? found : undefined;
  };
}

/** Node's getter closes over what it made; one of the program's own is not looked into. */
function made(inside: Inside, getter: object, name: string): unknown {
  try {
    return inside.variable(getter, name);
  } catch {
    return undefined;
  }
}
