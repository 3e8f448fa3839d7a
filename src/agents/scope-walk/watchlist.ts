import { hasLink, ringIn, sizeField, sizeOf, type Watched } from './containers.js';
import type { DetailedEdge, Edge, WalkTree } from './graph.js';
import type { Makers } from './makers.js';
import { LIMITS, type Realm } from './realm.js';

/** Two tenths of a microsecond each: four milliseconds at once. */
const MOST_NOTED = 20_000;

/** A ring buffer, weakly held, and whose property it is. */
export interface Ring {
  readonly ref: WeakRef<object>;
  readonly owner: WeakRef<object>;
  readonly node: number;
}

/** The containers, long strings and chains that a walk meets, held weakly, with their sizes at that moment. */
export class Watchlist {
  readonly containers: Watched[] = [];
  /** Ring buffers, whose array says nothing of how many stand in it. */
  readonly rings: Ring[] = [];
  readonly byObject = new WeakMap<object, Watched>();
  /** Nodes of objects that count the entries they lead to. */
  private readonly lists = new Set<number>();
  private readonly variables = new Set<string>();
  private chains = 0;
  private texts = 0;

  constructor(
    private readonly realm: Realm,
    private readonly tree: WalkTree,
    private readonly makers: Makers,
  ) {}

  add(object: object, kind: Watched['kind'], node: number, owner?: object, key?: PropertyKey, size?: number): void {
    const watched: Watched = {
      ref: new WeakRef(object),
      owner: owner && new WeakRef(owner),
      maker: this.makers.of(owner),
      kind,
      key,
      node,
      first: size ?? sizeOf(object, kind, key, 0) ?? 0,
      sizes: undefined,
      gone: false,
      ownerLives: false,
      slow: false,
    };
    this.containers.push(watched);
    if (kind !== 'string' && !this.byObject.has(object)) this.byObject.set(object, watched);
  }

  /** An object that keeps its number of entries in a field, or a ring buffer. */
  addList(object: object, keys: readonly PropertyKey[], node: number, owner: object | undefined): void {
    const field = sizeField(object, keys);
    if (field !== undefined) {
      if (hasLink(object)) this.lists.add(node);
      this.add(object, 'list', node, owner, field);
    } else if (owner && keys.length <= LIMITS.ringKeys && ringIn(object, keys, this.realm.types.isProxy))
      this.rings.push({ ref: new WeakRef(object), owner: new WeakRef(owner), node });
  }

  addChain(object: object, node: number, key: PropertyKey): void {
    // `list.head.next`: the list says itself how long its chain is, and its owner's limit is the chain's.
    if (this.lists.has(this.tree.parentOf(this.tree.parentOf(node)))) return;
    if (this.chains++ < LIMITS.chains) this.add(object, 'chain', node, undefined, key);
  }

  /** A string is no object: its owner is held and the property read again; of a variable's only the walks tell. */
  addText(owner: object, text: string, parent: number, edge: Edge): void {
    if (text.length < LIMITS.longText || this.texts++ >= LIMITS.texts) return;
    const key = typeof edge === 'object' ? undefined : edge;
    this.add(owner, 'string', this.tree.add(parent, edge), owner, key, text.length);
  }

  /** Every function of a script shows the same variable: once is enough. */
  addVariable(f: object, text: string, node: number, edge: Extract<DetailedEdge, { kind: 'variable' }>): void {
    const name = `${edge.seen.home} ${edge.name}`;
    if (text.length < LIMITS.longText || this.variables.has(name)) return;
    this.variables.add(name);
    this.addText(f, text, node, edge);
  }

  /** A later walk has seen these objects. The program waits for it: of very many only some are noted. */
  noteOwners(seen: ReadonlySet<object>): void {
    for (const one of this.containers.slice(0, MOST_NOTED)) {
      const owner = one.owner?.deref();
      one.ownerLives = owner !== undefined && seen.has(owner);
    }
  }

  /** What only the walk itself needed. */
  forget(): void {
    this.variables.clear();
    this.lists.clear();
  }
}
