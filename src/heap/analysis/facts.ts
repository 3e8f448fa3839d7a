import type { HeapFile } from '../heap-file.js';
import { SPECIAL_TEXTS, TEXTS } from '../parse/special-texts.js';
import type { Strings } from '../parse/strings.js';
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

export function gatherFacts(file: HeapFile): Facts {
  const text = findTexts(file.strings);
  return {
    node: numbered(file.layout.node.types) as Facts['node'], // has every NodeType as a key: see KNOWN_TYPES
    edge: numbered(file.layout.edge.types) as Facts['edge'],
    text,
    ephemerons: findEphemerons(file.strings, file.arena),
  };
}

function findTexts(strings: Strings): Facts['text'] {
  const indexOf = new Map<string, number>();
  for (const [index, text] of strings.find(SPECIAL_TEXTS, strings.special))
    if (!indexOf.has(text)) indexOf.set(text, index);
  const entries = Object.entries(TEXTS).map(([key, text]) => [key, indexOf.get(text) ?? -1]);
  return Object.fromEntries(entries) as Facts['text']; // has every key of TEXTS
}

const KNOWN_TYPES = [
  'hidden', 'array', 'string', 'object', 'code', 'closure', 'regexp', 'number', 'native', 'synthetic', 'concatenated string',
  'sliced string', 'symbol', 'bigint', 'object shape', 'context', 'element', 'property', 'internal', 'shortcut', 'weak',
]; // biome-ignore format: a list

function numbered(types: readonly string[]): Record<string, number> {
  return Object.fromEntries(KNOWN_TYPES.map(name => [name, types.indexOf(name)]));
}
