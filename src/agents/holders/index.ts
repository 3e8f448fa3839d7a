// Runs inside the target. Pools, locks and queues of any library, found by their shape: the scope walk's own engine
// visits the objects, this part only looks at what it found.
import type { Holder } from '../../model/evidence/holders.js';
import type { Part, PartHost } from '../host.js';
import { markBuiltins } from '../scope-walk/builtins.js';
import { InspectorBridge } from '../scope-walk/inspector-bridge.js';
import { createRealm } from '../scope-walk/realm.js';
import { Roots } from '../scope-walk/roots.js';
import { Walk } from '../scope-walk/walk.js';
import { holdersIn } from './shape.js';

export interface HoldersOptions {
  /** Script ids of `node:` files and of lens itself: their functions are not asked for scopes. */
  readonly internalScripts: readonly string[];
}

export interface HoldersPart extends Part {
  busy(): boolean;
  result(): {
    readonly holders: readonly Holder[];
    readonly objects: number;
    readonly cpuMs: number;
    readonly longestSliceMs: number;
  };
}

export default function install(host: PartHost, options: HoldersOptions): HoldersPart {
  const realm = createRealm(host, { internalScripts: options.internalScripts, packageScripts: [] });
  realm.skip.add(host);
  const bridge = new InspectorBridge(realm);
  const walk = new Walk(realm, bridge);
  let busy = true;
  const addRoots = () => {
    markBuiltins(realm);
    new Roots(realm, bridge).addTo(walk);
  };
  walk.run(addRoots, () => {
    busy = false;
  });
  return {
    busy: () => busy,
    result() {
      const { objects, cpuMs, longestSliceMs } = walk.cost();
      return { holders: holdersIn(realm, walk), objects, cpuMs, longestSliceMs };
    },
    dispose() {
      walk.stop();
      bridge.dispose();
    },
  };
}
