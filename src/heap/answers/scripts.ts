import { isUserCode } from '../../base/script-url.js';
import { inSlices } from '../graph.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import type { HeapView } from './view.js';

/** A place in a script: line and column 1-based. */
export interface ScriptPlace {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** How places are told to people. */
export interface Telling {
  /** Shortens script urls in texts. */
  readonly showUrl?: (url: string) => string;
  /** Where a place of the running text was written (source maps). */
  readonly original?: (place: ScriptPlace) => ScriptPlace;
}

/** Which script a closure, class or context belongs to, from what the snapshot holds itself. */
export class Scripts {
  /** Position number of each closure and object that has one. */
  private readonly positionOf = new Map<number, number>();
  private readonly urls = new Map<number, string>();
  private readonly urlOfShared = new Map<number, string | undefined>();

  readonly showUrl: (url: string) => string;
  private readonly original: (place: ScriptPlace) => ScriptPlace;

  constructor(
    private readonly view: HeapView,
    { showUrl = url => url, original = place => place }: Telling = {},
  ) {
    this.showUrl = showUrl;
    this.original = original;
    this.learn();
  }

  /** The same place in the file that a person edits. */
  written<P extends ScriptPlace | undefined>(place: P): P {
    return place && (this.original(place) as P); // a place gives a place
  }

  /** Place of a closure, or of the constructor of an object, in the text that V8 runs. */
  place(node: number): ScriptPlace | undefined {
    const { locations } = this.view.heap.file;
    const position = this.positionOf.get(node);
    return position === undefined ? this.lookUp(node) : this.at(locations.positions[position]!);
  }

  /** Place of a position as the file counts it. */
  at(position: { scriptId: number; line: number; column: number }): ScriptPlace | undefined {
    const url = this.urls.get(position.scriptId);
    return url === undefined ? undefined : { url, line: position.line + 1, column: position.column + 1 };
  }

  /** Every script that has a function here. */
  get known(): readonly string[] {
    return [...new Set(this.urls.values())];
  }

  /** A closure's script, through its shared function info. */
  urlOfClosure(closure: number): string | undefined {
    const shared = this.view.child(closure, 'internal', 'shared');
    if (shared === undefined) return undefined;
    if (!this.urlOfShared.has(shared)) this.urlOfShared.set(shared, this.scriptName(shared));
    return this.urlOfShared.get(shared);
  }

  /** One function of each place is enough: most records are of places that were met before. */
  private learn(): void {
    const { file, facts } = this.view.heap;
    const { count, positions, position, ordinal } = file.locations;
    const isKnown = file.arena.bytes(positions.length);
    const columns = [ordinal.byteOffset, position.byteOffset, facts.node.closure, isKnown.byteOffset];
    const next = (from: number) => file.arena.loops.nextUnmarked(from, count, ...columns);
    for (let i = next(0); i < count; i = next(i + 1)) {
      const at = position[i]!;
      const { scriptId } = positions[at]!;
      isKnown[at] = 1;
      const url = this.urls.get(scriptId) ?? this.urlOfClosure(ordinal[i]!);
      if (url !== undefined) this.urls.set(scriptId, url);
    }
  }

  private lookUp(node: number): ScriptPlace | undefined {
    const { locations } = this.view.heap.file;
    const at = locations.ordinal.subarray(0, locations.count).indexOf(node);
    if (at < 0) return undefined;
    this.positionOf.set(node, locations.position[at]!);
    return this.at(locations.positions[locations.position[at]!]!);
  }

  private scriptName(shared: number): string | undefined {
    for (const edge of this.view.edges(shared)) {
      const name = this.view.edgeName(edge);
      if (this.view.edgeType(edge) !== 'internal' || !SCRIPT_EDGES.has(name)) continue;
      const url = this.view.name(this.view.target(edge));
      if (url !== '' && this.view.type(this.view.target(edge)) === 'code') return url;
    }
    return undefined;
  }
}

/** The program's own scripts, as V8 has their urls; those loaded under an address with a query only by their file. */
export function programScripts(view: HeapView): string[] {
  return new Scripts(view).known.filter(url => isUserCode(url) && !/[?#]/.test(url));
}

/** V8 has called it both ways. */
const SCRIPT_EDGES = new Set(['script', 'script_or_debug_info']);

/** For each context, one closure that was made in it (plus one; 0: none): the way from a variable to its file. */
export function closuresByContext(view: HeapView): Uint32Array {
  const { file, facts } = view.heap;
  const { nodeCount, arena } = file;
  const wanted = ((facts.edge.internal << NAME_BITS) | facts.text.context) >>> 0;
  const closures = view.heap.scratch.zeros();
  inSlices(0, nodeCount, (from, to) => {
    arena.loops.closuresByContext(from, to, facts.node.closure, wanted, closures.byteOffset);
  });
  return closures;
}
