import type { ClosureChain } from '../../model/evidence/collection-growth.js';
import type { DetailedEdge, WalkTree } from './graph.js';
import { LIMITS } from './realm.js';

/** Closures in a row: the node of the first one's variable, and what the second one's holds. */
interface Chain {
  readonly first: number;
  readonly second: WeakRef<object>;
  links: number;
}

const CHAINS_OUT = 4;
/** From a closure up to the variable that leads to it. */
const STEPS_IN_CHAIN = 3;

/** Closures whose variable leads to a closure of the same function, whose variable leads to the next, and so on. */
export class ClosureChains {
  private readonly chainOf = new Map<number, Chain>();

  constructor(private readonly tree: WalkTree) {}

  noteLink(at: number, from: number, edge: Extract<DetailedEdge, { kind: 'variable' }>, value: object): void {
    const above = this.tree.sameVariableAbove(from, edge);
    if (above < 0) return;
    const chain = this.chainOf.get(above) ?? { first: above, second: new WeakRef(value), links: 1 };
    chain.links++;
    this.chainOf.set(above, chain).set(at, chain);
  }

  /** A closure of a chain is followed further than other functions of the same text, to see that it is one. */
  has(node: number): boolean {
    for (let at = node, steps = 0; at >= 0 && steps < STEPS_IN_CHAIN; at = this.tree.parentOf(at), steps++) {
      const chain = this.chainOf.get(at);
      if (chain) return chain.links < LIMITS.chainLinks;
    }
    return false;
  }

  /** Chains that have grown since an earlier walk, the longest first: an old one stands where it stood. */
  grownSince(before: ClosureChains): ClosureChain[] {
    const old = new Set([...before.all()].map(({ second }) => second.deref()));
    return [...this.all()]
      .filter(({ second, links }) => links >= LIMITS.closureChain && !old.has(second.deref()))
      .sort((a, b) => b.links - a.links)
      .slice(0, CHAINS_OUT)
      .map(({ first, links }) => ({ path: this.tree.path(first), links }));
  }

  private all(): Set<Chain> {
    return new Set(this.chainOf.values());
  }
}
