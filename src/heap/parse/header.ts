import { MalformedSnapshot } from '../malformed.js';

/** What the head of the file says about the layout of its number lists: V8 may add, drop and reorder fields. */
export interface Layout {
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly rootOrdinal: number;
  /** Memory outside of V8 that the file reports as a sum, in bytes. */
  readonly extraNativeBytes: number;
  readonly node: NodeLayout;
  readonly edge: EdgeLayout;
  readonly location?: LocationLayout;
}

export interface NodeLayout {
  readonly width: number;
  readonly types: readonly string[];
  readonly type: number;
  readonly name: number;
  readonly id: number;
  readonly selfSize: number;
  readonly edgeCount: number;
  /** -1 where the file has no such field. */
  readonly detachedness: number;
  readonly fields: readonly string[];
}

export interface EdgeLayout {
  readonly width: number;
  readonly types: readonly string[];
  readonly type: number;
  readonly nameOrIndex: number;
  readonly toNode: number;
  readonly fields: readonly string[];
}

export interface LocationLayout {
  readonly width: number;
  readonly object: number;
  readonly script: number;
  readonly line: number;
  readonly column: number;
  readonly fields: readonly string[];
}

/** A node's type shares its byte with two other facts, which leaves five bits. V8 has 16 types today. */
const MAX_NODE_TYPES = 32;
/** An edge's type shares four bytes with its name. V8 has had seven for ten years. */
const MAX_EDGE_TYPES = 8;
/** The sign of a target says whether the edge retains, so ordinals have 31 bits. */
const MAX_NODES = 2 ** 31 - 1;
const MAX_EDGES = 2 ** 32 - 2;
/** Fast division of `to_node` stays exact below this. */
const MAX_NODE_FIELDS = 2 ** 40;

type Fail = (problem: string) => never;
type Lists = Record<string, unknown>;

/** Reads the `snapshot` object of the file; throws MalformedSnapshot when it is not one this program can follow. */
export function readLayout(json: string, offset: number): Layout {
  const fail: Fail = problem => {
    throw new MalformedSnapshot(problem, offset, 'snapshot');
  };
  const head = asObject(parseJson(json, fail), 'the head', fail);
  const meta = asObject(head.meta, 'meta', fail);
  const node = nodeLayout(meta, fail);
  const nodeCount = count(head, 'node_count', MAX_NODES, fail);
  const edgeCount = count(head, 'edge_count', MAX_EDGES, fail);
  if (nodeCount * node.width > MAX_NODE_FIELDS) fail(`${nodeCount} nodes of ${node.width} fields are too many`);
  const location = locationLayout(meta, fail);
  return {
    nodeCount,
    edgeCount,
    rootOrdinal: rootOrdinal(head, node.width, nodeCount, fail),
    extraNativeBytes: Number(head.extra_native_bytes ?? 0) || 0,
    node,
    edge: edgeLayout(meta, fail),
    ...(location && { location }),
  };
}

function parseJson(json: string, fail: Fail): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return fail('the head of the file is not JSON');
  }
}

function nodeLayout(meta: Lists, fail: Fail): NodeLayout {
  const fields = names(meta.node_fields, 'meta.node_fields', fail);
  const types = typesOf(meta.node_types, fields, 'node', fail);
  if (types.length > MAX_NODE_TYPES) fail(`${types.length} node types; lens reads up to ${MAX_NODE_TYPES}`);
  const at = finder(fields, 'node', fail);
  return {
    width: fields.length,
    types,
    type: at('type'),
    name: at('name'),
    id: at('id'),
    selfSize: at('self_size'),
    edgeCount: at('edge_count'),
    detachedness: fields.indexOf('detachedness'),
    fields,
  };
}

function edgeLayout(meta: Lists, fail: Fail): EdgeLayout {
  const fields = names(meta.edge_fields, 'meta.edge_fields', fail);
  const types = typesOf(meta.edge_types, fields, 'edge', fail);
  if (types.length > MAX_EDGE_TYPES) fail(`${types.length} edge types; lens reads up to ${MAX_EDGE_TYPES}`);
  const at = finder(fields, 'edge', fail);
  return {
    width: fields.length,
    types,
    type: at('type'),
    nameOrIndex: at('name_or_index'),
    toNode: at('to_node'),
    fields,
  };
}

function locationLayout(meta: Lists, fail: Fail): LocationLayout | undefined {
  if (meta.location_fields === undefined) return undefined;
  const fields = names(meta.location_fields, 'meta.location_fields', fail);
  const needed = ['object_index', 'script_id', 'line', 'column'];
  if (!needed.every(name => fields.includes(name))) return undefined;
  const [object = 0, script = 0, line = 0, column = 0] = needed.map(name => fields.indexOf(name));
  return { width: fields.length, object, script, line, column, fields };
}

function finder(fields: readonly string[], what: string, fail: Fail): (name: string) => number {
  return name => {
    const index = fields.indexOf(name);
    return index >= 0 ? index : fail(`${what} records have no field ${name}`);
  };
}

function typesOf(types: unknown, fields: readonly string[], what: string, fail: Fail): readonly string[] {
  const list = Array.isArray(types) ? types[fields.indexOf('type')] : undefined;
  return names(list, `meta.${what}_types[type]`, fail);
}

function names(value: unknown, what: string, fail: Fail): readonly string[] {
  const isList =
    Array.isArray(value) && value.length > 0 && value.length <= 64 && value.every(v => typeof v === 'string');
  return isList ? value : fail(`${what} is not a list of names`);
}

function asObject(value: unknown, what: string, fail: Fail): Lists {
  // Any non-null object can be read by name; what is read is checked one by one.
  return typeof value === 'object' && value !== null ? (value as Lists) : fail(`${what} is not an object`);
}

function count(head: Lists, name: string, max: number, fail: Fail): number {
  const value = head[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) return fail(`${name} is not a count`);
  return value > max ? fail(`${name} is ${value}; lens reads up to ${max}`) : value;
}

function rootOrdinal(head: Lists, width: number, nodeCount: number, fail: Fail): number {
  const index = Number(head.root_index ?? 0);
  const ordinal = index / width;
  return nodeCount === 0 || (Number.isInteger(ordinal) && ordinal >= 0 && ordinal < nodeCount)
    ? ordinal
    : fail(`root_index ${index} is no node`);
}
