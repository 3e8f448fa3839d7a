import type { HeapFile } from '../heap-file.js';
import { DETACHED_SHIFT, TYPE_BITS } from '../parse/fast-nodes.js';
import type { ScriptPosition } from '../parse/locations.js';
import type { Facts } from './facts.js';
import { type Interface, InterfaceMatcher, inferInterfaces } from './interfaces.js';
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
  for (let node = 0; node < file.nodeCount; node++) of[node] = table.byNode(node);
  table.giveBack();
  const interfaces = nameInterfaces({ file, facts, pool }, table, of);
  splitByPosition(file, facts, table, of);
  return { of, list: table.list, interfaces };
}

class ClassTable {
  readonly list: HeapClass[] = [];
  private readonly byName = new Map<string, number>();
  private readonly byPosition = new Map<number, Map<number, number>>();
  private readonly byType: Int32Array;
  /** Class number plus one. */
  private readonly byText: Uint32Array;
  private readonly byDetachedText = new Map<number, number>();
  private readonly isNamed: Uint8Array;

  constructor(
    private readonly file: HeapFile,
    private readonly facts: Facts,
    private readonly pool: Pool,
  ) {
    this.byType = new Int32Array(32).fill(-1);
    this.byText = pool.zeros(file.strings.count);
    this.isNamed = new Uint8Array(32);
    for (const type of [facts.node.object, facts.node.native]) if (type >= 0) this.isNamed[type] = 1;
  }

  byNode(node: number): number {
    const kind = this.file.kind[node]!;
    const type = kind & TYPE_BITS;
    if (this.isNamed[type] === 0) return this.ofType(type);
    const name = this.file.nameIndex[node]!;
    if (type === this.facts.node.native && ((kind >> DETACHED_SHIFT) & 3) === 2) return this.ofDetached(name);
    if (this.byText[name] === 0) this.byText[name] = this.named(constructorName(this.file.strings.text(name))) + 1;
    return this.byText[name]! - 1;
  }

  /** After this, `byNode` must not be called. */
  giveBack(): void {
    this.pool.giveBack(this.byText);
  }

  named(name: string): number {
    return this.add(this.byName, name, () => ({ name }));
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
    if (this.byType[type] === -1) this.byType[type] = this.named(typeName(this.file.layout.node.types[type] ?? '?'));
    return this.byType[type]!;
  }

  private ofDetached(name: number): number {
    const known = this.byDetachedText.get(name);
    if (known !== undefined) return known;
    const index = this.named(constructorName(`Detached ${this.file.strings.text(name)}`));
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
  const matcher = new InterfaceMatcher(file, facts, interfaces);
  const classOfShape = shapes.sample.map(node => {
    const index = matcher.match(node);
    return index < 0 ? of[node]! : table.named(interfaces[index]!.name);
  });
  for (let i = 0; i < shapes.objects.length; i++) of[shapes.objects[i]!] = classOfShape[shapes.shapeOf[i]!]!;
  pool.giveBackWhole(shapes.objects, shapes.shapeOf);
  return interfaces;
}

function splitByPosition({ kind, locations }: HeapFile, facts: Facts, table: ClassTable, of: Uint32Array): void {
  for (let i = 0; i < locations.count; i++) {
    const node = locations.ordinal[i]!;
    if ((kind[node]! & TYPE_BITS) !== facts.node.object) continue;
    of[node] = table.at(of[node]!, locations.position[i]!);
  }
}
