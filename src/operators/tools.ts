import { z } from 'zod';
import type { ModelCall, ToolSpec } from '../llm/provider.js';
import { FaultClassName, toolSpec } from '../llm/tool-schema.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import { SEVERITIES } from '../model/severity.js';
import type { ToolCall } from '../model/skill.js';

/** Longest wait of one call, in milliseconds (DESIGN §5). */
const MOST_WAIT_MS = 60_000;

const Place = z.object({
  file: z.string(),
  line: z.number().int(),
  function: z.string().optional(),
  package: z.string().optional(),
});

const Said = z.object({
  title: z.string().describe('the cause in one sentence'),
  fault_class: FaultClassName.describe('as memory.leak.collection, loop.block.regexp, cpu.hot'),
  severity: z.enum(SEVERITIES),
  context: z.string().optional().describe('facts around it'),
  observation: z.string().describe('measured facts'),
  hypothesis: z.string().optional().describe('what you can not prove'),
  culprit: Place.optional().describe('as the evidence names it'),
  fix: z.string().optional(),
  confidence: z.enum(['high', 'medium', 'low']).optional(),
  snapshot_ids: z.array(z.string()).optional(),
  evidence_ids: z.array(z.string()),
});

interface ModelTool {
  readonly doc: string;
  readonly params: z.ZodType;
  /** `given` has passed `params`. */
  call(given: never): ToolCall;
}

const tool = <P>(doc: string, params: z.ZodType<P>, call: (given: P) => ToolCall): ModelTool => ({ doc, params, call });
const nothing = z.object({});

/** The closed list as a model sees it: one object is schema, documentation and translation. */
const TOOLS: Readonly<Record<string, ModelTool>> = {
  take_snapshot: tool("Reads this skill's numbers now.", nothing, () => ({
    tool: 'take_snapshot',
  })),
  get_snapshot: tool('An earlier one.', z.object({ id: z.string() }), ({ id }) => ({
    tool: 'get_snapshot',
    id,
  })),
  get_snapshots: tool(
    'Earlier ones, oldest first.',
    z.object({ limit: z.number().optional(), offset: z.number().optional() }),
    ({ limit, offset }) => ({ tool: 'get_snapshots', ...(limit && { limit }), ...(offset && { offset }) }),
  ),
  execute: tool(
    'Runs JavaScript where the queries are async functions; the last expression is the answer.',
    z.object({ code: z.string() }),
    ({ code }) => ({ tool: 'execute', code }),
  ),
  get_notifications: tool('What all operators noticed so far.', nothing, () => ({
    tool: 'get_notifications',
  })),
  send_notification: tool('Reports one fault, with the ids of what shows it.', Said, said => ({
    tool: 'send_notification',
    notification: draftOf(said),
  })),
  set_state: tool(
    'The state of what your skill covers.',
    z.object({ state: z.enum(['healthy', 'observing', 'warning', 'critical']), reason: z.string() }),
    ({ state, reason }) => ({ tool: 'set_state', state, reason }),
  ),
  wait: tool('At most a minute.', z.object({ ms: z.number() }), ({ ms }) => ({
    tool: 'wait',
    ms: Math.min(Math.max(0, ms), MOST_WAIT_MS),
  })),
  think: tool('For the record.', z.object({ thought: z.string() }), ({ thought }) => ({
    tool: 'think',
    thought,
  })),
  done: tool(
    'Ends your part.',
    z.object({
      outcome: z.enum(['healthy', 'found', 'not-applicable', 'inconclusive']),
      summary: z.string().describe('one sentence with its numbers'),
    }),
    ({ outcome, summary }) => ({ tool: 'done', outcome, summary }),
  ),
};

function draftOf(said: z.infer<typeof Said>): NotificationDraft {
  const { hypothesis, culprit, fix, confidence } = said;
  return {
    title: said.title,
    anomalyType: said.fault_class,
    faultClass: said.fault_class,
    severity: said.severity,
    context: said.context ?? '',
    observation: said.observation,
    metrics: [],
    snapshotIds: said.snapshot_ids ?? [],
    evidenceIds: said.evidence_ids,
    author: 'model',
    ...(hypothesis && { hypothesis }),
    ...(culprit && { culprit: placeOf(culprit) }),
    ...(fix && { fix }),
    ...(confidence && { confidence }),
  };
}

function placeOf({ file, line, function: name, package: from }: z.infer<typeof Place>): CodeLocation {
  return { file, line: Math.max(1, line), ...(name && { function: name }), ...(from && { package: from }) };
}

/** What the model is offered; the same for every operator, so that the providers' caches hold it. */
export const TOOL_SPECS: readonly ToolSpec[] = Object.entries(TOOLS).map(([name, { doc, params }]) =>
  toolSpec(name, doc, params),
);

export type Parsed = { readonly call: ToolCall } | { readonly error: string };

/** A model's call as an operator's; what is wrong is answered with what would be right. */
export function parseCall({ name, args, malformed }: ModelCall, queryNames: readonly string[]): Parsed {
  const known = TOOLS[name];
  if (!known) return { error: wrongName(name, queryNames) };
  if (malformed !== undefined) return { error: `The arguments of ${name} are no JSON: ${malformed.slice(0, 200)}` };
  const parsed = known.params.safeParse(args ?? {});
  // `params` has just made it.
  if (parsed.success) return { call: known.call(parsed.data as never) };
  const wrong = parsed.error.issues.map(issue => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  return { error: `${name}: ${wrong.join('; ')}` };
}

function wrongName(name: string, queryNames: readonly string[]): string {
  if (queryNames.includes(name)) return `${name} is a query: call execute with code like "await ${name}({})".`;
  return `There is no tool ${name}. Tools: ${Object.keys(TOOLS).join(', ')}.`;
}
