import type { HeapFile } from '../heap-file.js';
import { type Ephemerons, findEphemerons } from './ephemerons.js';

/** Set in a node's byte when the program's own globals reach it (DevTools: "page owned"). */
export const OWNED = 0x80;

/** Numbers of the types in this file (-1: it has no such type) and of the texts that decide something. */
export interface Facts {
  readonly node: Readonly<Record<NodeType, number>>;
  readonly edge: Readonly<Record<EdgeType, number>>;
  readonly text: Readonly<Record<keyof typeof TEXTS, number>>;
  readonly ephemerons: Ephemerons;
}

export type NodeType =
  | 'hidden' | 'array' | 'string' | 'object' | 'code' | 'closure' | 'regexp' | 'number' | 'native' | 'synthetic'
  | 'concatenated string' | 'sliced string' | 'symbol' | 'bigint' | 'object shape'; // biome-ignore format: a list
export type EdgeType = 'context' | 'element' | 'property' | 'internal' | 'hidden' | 'shortcut' | 'weak';

const TEXTS = {
  object: 'Object',
  proto: '__proto__',
  nativeContext: 'system / NativeContext',
  sloppyFunctionMap: 'sloppy_function_map',
  mapDescriptors: '(map descriptors)',
  externalString: 'system / ExternalStringData',
  documents: '(Document DOM trees)',
  arrayBufferData: 'system / JSArrayBufferData',
} as const;

export function gatherFacts(file: HeapFile): Facts {
  const texts = { ...TEXTS } as Record<keyof typeof TEXTS, string>;
  const lengths = new Set(Object.values(texts).map(text => text.length));
  const found = new Map<string, number>();
  for (let index = file.strings.count - 1; index >= 0; index--) {
    if (!lengths.has(file.strings.length(index))) continue;
    for (const text of Object.values(texts)) if (file.strings.equals(index, text)) found.set(text, index);
  }
  return {
    node: numbered(file.layout.node.types) as Facts['node'], // a type that V8 drops reads -1 through the proxy below
    edge: numbered(file.layout.edge.types) as Facts['edge'],
    text: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, found.get(text) ?? -1])) as Facts['text'],
    ephemerons: findEphemerons(file.strings),
  };
}

const KNOWN_TYPES = [
  'hidden', 'array', 'string', 'object', 'code', 'closure', 'regexp', 'number', 'native', 'synthetic', 'concatenated string',
  'sliced string', 'symbol', 'bigint', 'object shape', 'context', 'element', 'property', 'internal', 'shortcut', 'weak',
]; // biome-ignore format: a list

function numbered(types: readonly string[]): Record<string, number> {
  return Object.fromEntries(KNOWN_TYPES.map(name => [name, types.indexOf(name)]));
}
