import type { AsyncHook, HookCallbacks } from 'node:async_hooks';
import type { PartHost } from './host.js';
import { descend } from './stack.js';

type AsyncHooks = typeof import('node:async_hooks');

/** 16 to 25 kB: more than a program's own step deeper takes, and enough for Node's `disable` once it is compiled. */
const LEVELS = 250;
/** Looked for at every so many callbacks: 0.3 µs for each of them. */
const EVERY = 4;

/** An async hook of lens, and its way out. */
export interface OwnHook {
  enable(): void;
  disable(): void;
}

/**
 * A hook that leaves before the program's stack overflows. A RangeError within Node's emission of a hook would end the
 * process (`fatalError`) or leave its count of emissions wrong, after which no hook can be enabled or disabled again.
 */
export function ownHook(host: PartHost, callbacks: HookCallbacks, onLeft: () => void): OwnHook {
  const { createHook, AsyncResource } = host.require('node:async_hooks') as AsyncHooks;
  let calls = 0;
  let rehearsing = false;
  let hasLeft = false;
  const leave = (): void => {
    try {
      hook.disable();
      if (rehearsing) return;
      hasLeft = true;
      onLeft();
    } catch {
      // No room even for that: the next callback, which has no less, tries again.
    }
  };
  const hasRoom = (): boolean => {
    calls += 1;
    if (calls % EVERY !== 0 && !rehearsing) return true;
    try {
      if (!rehearsing) return descend(LEVELS) === LEVELS;
    } catch {
      // Nearly full.
    }
    leave();
    return false;
  };
  const { init = nothing, before = nothing, promiseResolve = nothing } = callbacks;
  const guarded = {
    init: (id: number, type: string, triggerId: number, resource: object) =>
      void (hasRoom() && init(id, type, triggerId, resource)),
    before: (id: number) => void (hasRoom() && before(id)),
    promiseResolve: (id: number) => void (hasRoom() && promiseResolve(id)),
  };
  const hook: AsyncHook = createHook({
    init: guarded.init,
    ...(callbacks.before && { before: guarded.before }),
    ...(callbacks.promiseResolve && { promiseResolve: guarded.promiseResolve }),
  });
  /** Compiling a function takes more stack than is left then: everything that leaving takes is called once before. */
  const rehearse = (): void => {
    rehearsing = true;
    descend(LEVELS);
    hook.enable();
    new AsyncResource('LENS', { requireManualDestroy: true }).emitDestroy();
    guarded.before(0);
    guarded.promiseResolve(0);
    rehearsing = false;
  };
  return {
    enable() {
      rehearse();
      hook.enable();
    },
    disable() {
      // Left within an emission, Node keeps its hooks of promises and a wrong total: only an end outside of one tidies up.
      if (hasLeft) hook.enable();
      hook.disable();
    },
  };
}

const nothing = (): void => undefined;
