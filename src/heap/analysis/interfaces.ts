import type { HeapFile } from '../heap-file.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
import type { Facts } from './facts.js';
import type { Pool } from './pool.js';
import { propertyNames, type Shapes } from './shapes.js';

/** A name for plain objects that share properties: `{id, title, cells}`. */
export interface Interface {
  readonly name: string;
  readonly properties: readonly string[];
}

/** These four are DevTools', so that its class names and ours are the same. */
const LONGEST_NAME = 120;
const LEAST_OBJECTS = 2;
const LEAST_SHARE = 1000;

/** The property lists that are frequent enough to be called a type, the most frequent first. */
export function inferInterfaces(file: HeapFile, facts: Facts, shapes: Shapes): Interface[] {
  const candidates = new Map<string, Interface & { count: number }>();
  // The reference meets objects in the file's order and breaks ties by it: shapes are numbered in that order, too.
  shapes.sample.forEach((node, shape) => {
    const candidate = nameShape(file, facts, node);
    if (!candidate) return;
    const known = candidates.get(candidate.name) ?? { ...candidate, count: 0 };
    known.count += shapes.counts[shape]!;
    candidates.set(candidate.name, known);
  });
  const least = Math.max(LEAST_OBJECTS, shapes.objects.length / LEAST_SHARE);
  return [...candidates.values()].sort((a, b) => b.count - a.count).filter(({ count }) => count >= least);
}

function nameShape(file: HeapFile, facts: Facts, node: number): Interface | undefined {
  const properties: string[] = [];
  let name = '{';
  for (let edge = file.firstEdge[node]!; edge < file.firstEdge[node + 1]!; edge++) {
    const word = file.label[edge]!;
    if (word >>> NAME_BITS !== facts.edge.property || (word & NAME_MASK) === facts.text.proto) continue;
    const property = file.strings.text(word & NAME_MASK);
    const shown = quoteIfNeeded(property);
    if (name.length > 1 && name.length + shown.length > LONGEST_NAME) break;
    name += name.length === 1 ? shown : `, ${shown}`;
    properties.push(property);
  }
  return properties.length === 0 ? undefined : { name: `${name}}`, properties };
}

function quoteIfNeeded(name: string): string {
  return /[,'"{}]/.test(name) ? JSON.stringify({ [name]: 0 }).slice(1, -3) : name;
}

interface Branch {
  readonly next: Map<number, Branch>;
  greatest: number;
  match: { readonly index: number; readonly properties: number } | undefined;
}

const newBranch = (): Branch => ({ next: new Map(), greatest: -1, match: undefined });

/**
 * Finds the interface with the most properties that an object has all of; ties go to the more frequent one. Only names that
 * some interface has can change the outcome; they are ranked as they sort, for numbers are quicker to compare.
 */
export class InterfaceMatcher {
  private readonly tree = newBranch();
  private readonly rankOf = new Map<string, number>();
  /** By text: its rank plus two, 1 for none, 0 where nobody has asked yet. Dictionaries have a million keys and few of these. */
  private readonly ranks: Uint32Array;
  private readonly knownName: (index: number) => string | undefined;

  constructor(
    private readonly file: HeapFile,
    private readonly facts: Facts,
    interfaces: readonly Interface[],
    pool: Pool,
  ) {
    const names = [...new Set(interfaces.flatMap(({ properties }) => properties))];
    this.knownName = file.strings.matcher(names);
    this.ranks = pool.zeros(file.strings.count);
    for (const name of names.sort()) this.rankOf.set(name, this.rankOf.size);
    interfaces.forEach(({ properties }, index) => {
      this.plant(properties, index);
    });
  }

  /** Index of the interface that fits the object best, or -1. */
  match(node: number): number {
    let best: Branch['match'];
    let states = [this.tree];
    for (const rank of this.relevantRanks(node)) {
      const more = states.flatMap(state => state.next.get(rank) ?? []);
      for (const { match } of more) best = better(best, match);
      states = [...states, ...more].filter(({ greatest }) => greatest > rank);
    }
    return best?.index ?? -1;
  }

  /** After this, nothing can be matched. */
  giveBack(pool: Pool): void {
    pool.giveBack(this.ranks);
  }

  private plant(properties: readonly string[], index: number): void {
    let branch = this.tree;
    for (const rank of properties.map(name => this.rankOf.get(name)!).sort((a, b) => a - b)) {
      const next = branch.next.get(rank) ?? newBranch();
      branch.next.set(rank, next);
      branch.greatest = Math.max(branch.greatest, rank);
      branch = next;
    }
    branch.match ??= { index, properties: properties.length };
  }

  private relevantRanks(node: number): number[] {
    const found: number[] = [];
    for (const text of propertyNames(this.file, this.facts, node)) {
      if (this.ranks[text] === 0) this.ranks[text] = this.rank(text) + 2;
      if (this.ranks[text]! > 1) found.push(this.ranks[text]! - 2);
    }
    return found.sort((a, b) => a - b);
  }

  private rank(text: number): number {
    const name = this.knownName(text);
    return name === undefined ? -1 : this.rankOf.get(name)!;
  }
}

function better(a: Branch['match'], b: Branch['match']): Branch['match'] {
  if (!a || !b) return a ?? b;
  if (a.properties !== b.properties) return a.properties > b.properties ? a : b;
  return a.index <= b.index ? a : b;
}
