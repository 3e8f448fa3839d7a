import type { GrowingContainer, PathStep } from '../../model/evidence/collection-growth.js';
import type { FaultClass } from '../../model/fault.js';
import { isInAsyncStore, isWriteBuffer, listenedEvent } from './holder.js';

export type GrowthFault = Extract<
  FaultClass,
  `memory.${string}` | 'code.growth' | 'handles.leak.timer' | 'backpressure'
>;

/** An entry counts as external memory when most of it lies in ArrayBuffers. */
const EXTERNAL_SHARE = 0.5;

/** The fault class that fits what a container gains: by what its entries are, not by names. */
export function faultOf(row: GrowingContainer): GrowthFault {
  const { entry, path } = row;
  if (row.kind === 'timers') return 'memory.leak.timer';
  if (listenedEvent(path) !== undefined) return 'memory.leak.listener';
  if (isWriteBuffer(path)) return 'backpressure';
  if (entry.type === 'context' || isInAsyncStore(path)) return 'memory.leak.context';
  if (entry.type === 'module' || entry.ownScripts === true || isModuleCache(path, row.ownerClass)) return 'code.growth';
  if (entry.type === 'promise' || entry.type === 'deferred') return 'memory.leak.promise';
  if (entry.type === 'timer') return 'memory.leak.timer';
  if (entry.bytes > 0 && entry.externalBytes > EXTERNAL_SHARE * entry.bytes) return 'memory.external';
  if (entry.type === 'function') return 'memory.leak.closure';
  return 'memory.leak.collection';
}

/** True for Node's own memory of modules: `require.cache`, the ES module cache, a module's children. */
export function isModuleCache(path: readonly PathStep[], ownerClass: string | undefined): boolean {
  const [root] = path;
  const last = path.at(-1);
  if (root?.kind === 'root' && path.length === 1 && /require\.cache|cache of ES modules/.test(root.name)) return true;
  // `require.main.children`, `module.children`: every require adds to it, and deleting from require.cache doesn't take it out.
  const isChildren = last?.kind === 'property' && last.name === 'children';
  const inCache = root?.kind === 'root' && root.name === 'require.cache' && path.length === 3;
  return isChildren && (inCache || ownerClass === 'Module' || isModuleObject(path));
}

function isModuleObject(path: readonly PathStep[]): boolean {
  const above = path.at(-2);
  return (
    (above?.kind === 'property' && above.name === 'main') || (above?.kind === 'variable' && above.name === 'module')
  );
}
