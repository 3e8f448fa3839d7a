import { inTurns } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import { DETACHED_SHIFT, TYPE_BITS } from '../parse/fast-nodes.js';
import type { ScriptPosition } from '../parse/locations.js';
import type { Facts } from './facts.js';
import { type Interface, InterfaceMatcher, inferInterfaces } from './interfaces.js';
import { typeBits } from './own-sizes.js';
import type { Pool } from './pool.js';
import { findShapes } from './shapes.js';

/** A class as DevTools groups objects: by constructor and its place, by properties for plain objects, by kind for V8's own. */
export interface HeapClass {
  readonly name: string;
  /** Where the constructor was written, for objects that have one in a script. */
  readonly position?: ScriptPosition;
}

export interface Classes {
  /** Class number of each node. */
  readonly of: Uint32Array;
  readonly list: readonly HeapClass[];
  readonly interfaces: readonly Interface[];
}

/** Sorts every node into a class. */
export function classify(file: HeapFile, facts: Facts, pool: Pool): Classes {
  const of = pool.dirty();
  const table = new ClassTable(file, facts, pool);
  table.sort(of);
  const interfaces = nameInterfaces({ file, facts, pool }, table, of);
  splitByPosition(file, facts, table, of);
  return { of, list: table.list, interfaces };
}

class ClassTable {
  readonly list: HeapClass[] = [];
  private readonly names = new Map<string, number>();
  private readonly byPosition = new Map<number, Map<number, number>>();
  /** Class number plus one. */
  private readonly byType: Uint32Array;
  private readonly byText: Uint32Array;
  private readonly byDetachedText = new Map<number, number>();
  /** A bit for each type of which objects have names. */
  private readonly named: number;

  constructor(
    private readonly file: HeapFile,
    private readonly facts: Facts,
    private readonly pool: Pool,
  ) {
    this.byType = file.arena.words(32);
    this.byText = pool.zeros(file.strings.count);
    this.named = typeBits(facts.node.object, facts.node.native);
  }

  /** By type or name. */
  sort(of: Uint32Array): void {
    const { file, facts, byType, byText } = this;
    const { nodeCount, arena } = file;
    const columns = [of, byType, byText].map(({ byteOffset }) => byteOffset);
    inTurns(
      nodeCount,
      (from, to) => arena.loops.classify(from, to, ...columns, this.named, facts.node.native),
      node => {
        of[node] = this.byNode(node);
        return node + 1;
      },
    );
    this.pool.giveBack(byText);
  }

  private byNode(node: number): number {
    const kind = this.file.kind[node]!;
    const type = kind & TYPE_BITS;
    if ((this.named & (1 << type)) === 0) return this.ofType(type);
    const name = this.file.nameIndex[node]!;
    if (type === this.facts.node.native && ((kind >> DETACHED_SHIFT) & 3) === 2) return this.ofDetached(name);
    const index = this.byName(constructorName(this.file.strings.text(name)));
    this.byText[name] = index + 1;
    return index;
  }

  byName(name: string): number {
    return this.add(this.names, name, () => ({ name }));
  }

  /** The class of this name whose constructor stands at this position. */
  at(base: number, position: number): number {
    const places = this.byPosition.get(base) ?? new Map<number, number>();
    this.byPosition.set(base, places);
    return this.add(places, position, () => ({
      name: this.list[base]!.name,
      position: this.file.locations.positions[position]!,
    }));
  }

  private add<K>(table: Map<K, number>, key: K, create: () => HeapClass): number {
    let index = table.get(key);
    if (index === undefined) {
      index = this.list.push(create()) - 1;
      table.set(key, index);
    }
    return index;
  }

  private ofType(type: number): number {
    const index = this.byName(typeName(this.file.layout.node.types[type] ?? '?'));
    this.byType[type] = index + 1;
    return index;
  }

  private ofDetached(name: number): number {
    const known = this.byDetachedText.get(name);
    if (known !== undefined) return known;
    const index = this.byName(constructorName(`Detached ${this.file.strings.text(name)}`));
    this.byDetachedText.set(name, index);
    return index;
  }
}

function typeName(type: string): string {
  if (type === 'hidden') return '(system)';
  if (type === 'code') return '(compiled code)';
  if (type === 'closure') return 'Function';
  if (type === 'regexp') return 'RegExp';
  return `(${type})`;
}

/** DOM elements (in Electron) are named with their attributes: `<div id="a">` is a `<div>`. */
function constructorName(name: string): string {
  const from = name.startsWith('<') ? 0 : name.startsWith('Detached <') ? 10 : -1;
  const space = from < 0 ? -1 : name.indexOf(' ', from);
  return space < 0 ? name : `${name.slice(0, space)}>`;
}

interface Given {
  readonly file: HeapFile;
  readonly facts: Facts;
  readonly pool: Pool;
}

function nameInterfaces({ file, facts, pool }: Given, table: ClassTable, of: Uint32Array): Interface[] {
  const shapes = findShapes(file, facts, pool);
  const interfaces = inferInterfaces(file, facts, shapes);
  const matcher = new InterfaceMatcher(file, facts, interfaces, pool);
  const classOfShape = pool.dirty();
  shapes.sample.forEach((node, shape) => {
    const index = matcher.match(node);
    classOfShape[shape] = index < 0 ? of[node]! : table.byName(interfaces[index]!.name);
  });
  const columns = [shapes.objects, shapes.shapeOf, classOfShape, of].map(({ byteOffset }) => byteOffset);
  file.arena.loops.classifyShapes(shapes.objects.length, ...columns);
  matcher.giveBack(pool);
  pool.giveBack(classOfShape);
  pool.giveBackWhole(shapes.objects, shapes.shapeOf);
  return interfaces;
}

function splitByPosition({ arena, locations }: HeapFile, facts: Facts, table: ClassTable, of: Uint32Array): void {
  const { count, ordinal, position, positions } = locations;
  const last = arena.words(2 * positions.length);
  const columns = [last.byteOffset, of.byteOffset];
  inTurns(
    count,
    (from, to) =>
      arena.loops.splitByPosition(from, to, ordinal.byteOffset, position.byteOffset, facts.node.object, ...columns),
    record => {
      const [at, base] = [position[record]!, of[ordinal[record]!]!];
      last[2 * at] = base + 1;
      last[2 * at + 1] = table.at(base, at);
      return record;
    },
  );
}
