import type { HeapFile } from '../heap-file.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
import type { Facts } from './facts.js';
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
  readonly next: Map<string, Branch>;
  greatest: string | undefined;
  match: { readonly index: number; readonly properties: number } | undefined;
}

/** Finds the interface with the most properties that an object has all of; ties go to the more frequent one. */
export class InterfaceMatcher {
  private readonly tree: Branch = { next: new Map(), greatest: undefined, match: undefined };
  /** Only names that some interface has can change the outcome; dictionaries with a million keys have few of them. */
  private readonly known = new Map<number, string>();
  private readonly knownName: (index: number) => string | undefined;

  constructor(
    private readonly file: HeapFile,
    private readonly facts: Facts,
    interfaces: readonly Interface[],
  ) {
    interfaces.forEach(({ properties }, index) => {
      this.plant(properties, index);
    });
    this.knownName = file.strings.matcher(interfaces.flatMap(({ properties }) => properties));
  }

  /** Index of the interface that fits the object best, or -1. */
  match(node: number): number {
    let best: Branch['match'];
    const states = new Set([this.tree]);
    for (const property of this.relevantNames(node)) {
      for (const state of [...states]) {
        if (state.greatest === undefined || property >= state.greatest) states.delete(state);
        const next = state.next.get(property);
        if (!next) continue;
        states.add(next);
        best = better(best, next.match);
      }
    }
    return best?.index ?? -1;
  }

  private plant(properties: readonly string[], index: number): void {
    let branch = this.tree;
    for (const property of [...properties].sort()) {
      let next = branch.next.get(property);
      if (!next) {
        next = { next: new Map(), greatest: undefined, match: undefined };
        branch.next.set(property, next);
        if (branch.greatest === undefined || branch.greatest < property) branch.greatest = property;
      }
      branch = next;
    }
    branch.match ??= { index, properties: properties.length };
  }

  private relevantNames(node: number): string[] {
    const names: string[] = [];
    for (const index of propertyNames(this.file, this.facts, node)) {
      const name = this.known.get(index) ?? this.knownName(index);
      if (name === undefined) continue;
      this.known.set(index, name);
      names.push(name);
    }
    return names.sort();
  }
}

function better(a: Branch['match'], b: Branch['match']): Branch['match'] {
  if (!a || !b) return a ?? b;
  if (a.properties !== b.properties) return a.properties > b.properties ? a : b;
  return a.index <= b.index ? a : b;
}
