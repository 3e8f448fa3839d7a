import type * as v8 from 'node:v8';
import type {
  ClosureChain,
  GrowingContainer,
  MemorySample,
  SizedContainer,
  WalkCost,
} from '../../model/evidence/collection-growth.js';
import type { Part, PartHost } from '../host.js';
import { markBuiltins } from './builtins.js';
import { Growth, type Seen } from './growth.js';
import { InspectorBridge } from './inspector-bridge.js';
import { createRealm } from './realm.js';
import { type ModuleCounts, Roots } from './roots.js';
import { Sizer } from './sizing.js';
import { Timers } from './timers.js';
import { Walk } from './walk.js';

export interface ScopeWalkOptions {
  /** Script ids of `node:` files and of lens itself: their functions are not asked for scopes. */
  readonly internalScripts: readonly string[];
  /** Script ids of packages: what their functions close over may be the application's. */
  readonly packageScripts: readonly string[];
}

export interface ScopeWalkResult {
  readonly times: readonly number[];
  readonly growing: readonly GrowingContainer[];
  readonly grewCount: number;
  readonly biggest: readonly SizedContainer[];
  readonly memory: readonly MemorySample[];
  readonly modules: ModuleCounts;
  /** Paths and urls of the program's own modules. */
  readonly files: readonly string[];
  readonly closureChains: readonly ClosureChain[];
  readonly walks: readonly WalkCost[];
  readonly unlisted: readonly number[];
  readonly uptimeSeconds: number;
}

/** What must be known before a walk. */
export interface Room {
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly uptimeSeconds: number;
  readonly nativeContexts: number;
}

/**
 * Who holds what, by name: walks the target's objects from its modules, servers and timers, remembers containers
 * weakly, and reads their sizes again. Every method returns at once; `busy` tells when the work it began is done.
 */
export interface ScopeWalkPart extends Part {
  /** Begins a walk; the first one also prepares. A later one finds containers and timers that were replaced. */
  walk(): void;
  /** V8's heap in use, garbage included, and how big it may become: a walk takes no more than its share of what is left. */
  room(): Room;
  /** Reads the sizes of all known containers again. */
  tick(): void;
  /** Weighs what grew. */
  weigh(): void;
  busy(): boolean;
  /** True when there are clearly more timers than at the first reading: `weigh` tells of them only after a second walk. */
  timersGrew(): boolean;
  result(): ScopeWalkResult;
}

/** Of what is left before V8 ends the process a walk may take this share. */
const ROOM_SHARE = 0.25;
/** An object visited costs its place in a set (twice while the set grows), in the tree and in a queue. */
const BYTES_PER_OBJECT = 200;

class ScopeWalk implements ScopeWalkPart {
  private readonly bridge: InspectorBridge;
  private readonly timers: Timers;
  private readonly roots: Roots;
  private readonly realm;
  private readonly walks: Walk[] = [];
  private first: Seen | undefined;
  private last: Seen | undefined;
  private growth: Growth | undefined;
  private working = false;
  private disposed = false;
  private modules: ModuleCounts = { commonjs: 0, esm: 0, packages: 0 };
  private growing: GrowingContainer[] = [];
  private largest: SizedContainer[] = [];
  private grewCount = 0;

  constructor(host: PartHost, options: ScopeWalkOptions) {
    this.realm = createRealm(host, options);
    this.realm.skip.add(this).add(host);
    this.bridge = new InspectorBridge(this.realm);
    this.timers = new Timers(this.realm, this.bridge);
    this.roots = new Roots(this.realm, this.bridge);
  }

  walk(): void {
    const { limitBytes, usedBytes } = this.room();
    const mostObjects = Math.floor(((limitBytes - usedBytes) * ROOM_SHARE) / BYTES_PER_OBJECT);
    const walk = new Walk(this.realm, this.bridge, this.first?.walk, mostObjects);
    this.walks.push(walk);
    this.working = true;
    const timers: Seen['timers'][number][] = [];
    const addRoots = () => {
      if (!this.first) markBuiltins(this.realm);
      this.modules = this.roots.addTo(walk);
      timers.push(...this.timers.groups());
      this.timers.addTo(walk, timers);
    };
    walk.run(addRoots, () => this.walked({ walk, timers }));
  }

  room(): Room {
    const { getHeapStatistics } = this.realm.host.require('node:v8') as typeof v8;
    const heap = getHeapStatistics();
    const { used_heap_size: usedBytes, heap_size_limit: limitBytes, number_of_native_contexts: nativeContexts } = heap;
    return { usedBytes, limitBytes, nativeContexts, uptimeSeconds: process.uptime() };
  }

  tick(): void {
    this.working = true;
    this.growth?.tick(() => this.rest());
  }

  weigh(): void {
    const { growth, last } = this;
    if (!growth || !last) return;
    this.working = true;
    growth.weigh(last, (rows, grewCount) => {
      this.growing = rows;
      this.grewCount = grewCount;
      growth.biggest(last, biggest => {
        this.largest = biggest;
        this.rest();
      });
    });
  }

  busy(): boolean {
    return this.working;
  }

  timersGrew(): boolean {
    return this.growth?.timersGrew() ?? false;
  }

  result(): ScopeWalkResult {
    return {
      times: this.growth?.times ?? [],
      growing: this.growing,
      grewCount: this.grewCount,
      biggest: this.largest,
      memory: this.growth?.memory ?? [],
      modules: this.modules,
      files: this.roots.files,
      closureChains: this.grownChains(),
      walks: this.walks.map(walk => walk.cost()),
      unlisted: this.last?.walk.unlisted ?? [],
      uptimeSeconds: Math.round(process.uptime()),
    };
  }

  private grownChains(): ClosureChain[] {
    const { first, last } = this;
    return first && last && first !== last ? last.walk.chains.grownSince(first.walk.chains) : [];
  }

  dispose(): void {
    this.disposed = true;
    for (const walk of this.walks) walk.stop();
    this.walks.length = 0;
    this.first = this.last = this.growth = undefined;
    this.growing = [];
    this.largest = [];
    this.bridge.dispose();
  }

  private walked(seen: Seen): void {
    if (this.disposed) return;
    this.first ??= seen;
    this.last = seen;
    this.growth ??= new Growth(this.realm, this.timers, new Sizer(this.realm, this.bridge), this.first);
    this.rest();
  }

  private rest(): void {
    this.working = false;
  }
}

export default function install(host: PartHost, options: ScopeWalkOptions): ScopeWalkPart {
  return new ScopeWalk(host, options);
}
