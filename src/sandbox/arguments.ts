import { toJSONSchema, type ZodType } from 'zod';

type Path = readonly PropertyKey[];

/**
 * Arguments as the schema wants them. A number beyond its bounds is clamped to them (a model that asks for 10 000 rows
 * gets the most there is); anything else wrong throws with what would be right.
 */
export function parseArguments<P>(name: string, schema: ZodType<P>, args: readonly unknown[]): P {
  if (args.length > 1) throw new Error(`${name} takes one object: ${signature(name, schema)}`);
  const first = schema.safeParse(args[0]);
  if (first.success) return first.data;
  const second = schema.safeParse(clamped(args[0], first.error.issues));
  if (second.success) return second.data;
  const wrong = second.error.issues.map(issue => `${issue.path.join('.') || 'argument'}: ${issue.message}`).join('; ');
  throw new Error(`${name}: ${wrong}. Call it as ${signature(name, schema)}`);
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: Path;
  readonly maximum?: number | bigint;
  readonly minimum?: number | bigint;
}

function clamped(value: unknown, issues: readonly Issue[]): unknown {
  let copy: unknown = value === undefined || value === null ? {} : structuredClone(value);
  for (const issue of issues) {
    const bound = issue.code === 'too_big' ? issue.maximum : issue.code === 'too_small' ? issue.minimum : undefined;
    if (typeof bound === 'number') copy = withNumber(copy, issue.path, bound);
  }
  return copy;
}

/** Only numbers are clamped: a text or list of the wrong length is not the caller's meaning any more. */
function withNumber(value: unknown, path: Path, bound: number): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === 'number' ? bound : value;
  if (typeof value !== 'object' || value === null) return value;
  const record = value as Record<PropertyKey, unknown>;
  record[key] = withNumber(record[key], rest, bound);
  return record;
}

interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: { readonly [name: string]: SchemaNode };
  readonly required?: readonly string[];
}

/** A function as one line: `topClasses({limit?: 1..50 = 20, by: "size"|"count"})`. */
export function signature(name: string, schema: ZodType): string {
  // Zod's own JSON schema; only the fields above are read.
  const node = toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  const shown = shapeOf(node);
  return `${name}(${shown === '{}' ? '' : shown})`;
}

function shapeOf(node: SchemaNode): string {
  if (node.enum) return choices(node.enum);
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.anyOf) return node.anyOf.map(shapeOf).join('|');
  if (node.type === 'array') return `${shapeOf(node.items ?? {})}[]`;
  if (node.type === 'object') return `{${fieldsOf(node).join(', ')}}`;
  return bounds(node) || (node.type ?? 'any');
}

/** A wrong one is answered with all of them. */
const MOST_CHOICES = 8;

function choices(all: readonly unknown[]): string {
  const shown = all.length > MOST_CHOICES ? all.slice(0, MOST_CHOICES - 2) : all;
  const more = all.length > shown.length ? ['…'] : [];
  return [...shown.map(value => JSON.stringify(value)), ...more].join('|');
}

function fieldsOf(node: SchemaNode): string[] {
  return Object.entries(node.properties ?? {}).map(([name, field]) => {
    const optional = node.required?.includes(name) && field.default === undefined ? '' : '?';
    const preset = field.default === undefined ? '' : ` = ${JSON.stringify(field.default)}`;
    const note = field.description ? ` /* ${field.description} */` : '';
    return `${name}${optional}: ${shapeOf(field)}${preset}${note}`;
  });
}

/** Zod writes the safe-integer range for every integer; that says nothing. */
const UNBOUNDED = 1e15;

function bounds({ minimum, maximum }: SchemaNode): string {
  const low = minimum !== undefined && Math.abs(minimum) < UNBOUNDED ? String(minimum) : '';
  const high = maximum !== undefined && Math.abs(maximum) < UNBOUNDED ? String(maximum) : '';
  return low || high ? `${low}..${high}` : '';
}
