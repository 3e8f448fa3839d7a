import { z } from 'zod';
import type { ModelCall, ToolSpec } from '../llm/provider.js';
import { FaultClassName, toolSpec } from '../llm/tool-schema.js';
import { SEVERITIES } from '../model/severity.js';

const ids = z.array(z.string());

/** The closed list of what a coordinator may do: schema and documentation in one. */
const PARAMS = {
  get_notifications: z
    .object({ status: z.enum(['unread', 'acknowledged', 'resolved', 'all']).optional() })
    .describe('What operators noticed; default unread.'),
  update_notification_statuses: z
    .object({ notification_ids: ids, status: z.enum(['acknowledged', 'resolved']), reason: z.string().optional() })
    .describe('Resolving without an insight puts them aside, with your reason.'),
  produce_insight: z
    .object({
      title: z.string().describe('the cause in one sentence'),
      notification_ids: ids,
      correlation: z.enum(['temporal', 'causal', 'symptomatic']),
      fault_class: FaultClassName,
      severity: z.enum(SEVERITIES),
      summary: z.string().describe('observations only'),
      matched_observations: z.array(z.string()).describe('exact words of the notifications'),
      hypothesis_grounded: z.boolean().describe('two operators or a measured mechanism'),
      root_cause: z.string().optional(),
      culprit_of: z.string().optional().describe('notification whose culprit is the root'),
      fix: z.string().optional(),
      confidence: z.enum(['high', 'medium', 'low']),
    })
    .describe('One cause with all that follows from it; resolves its notifications.'),
  invoke_operators: z
    .object({ skills: z.array(z.string()), context: z.string().optional() })
    .describe('Starts them, without waiting.'),
  message_operator: z.object({ skill: z.string(), message: z.string() }).describe('Asks about what it saw.'),
  get_operator_statuses: z.object({}).describe('Who runs, and what the others concluded.'),
  wait: z.object({ ms: z.number() }).describe('For operators, at most a minute.'),
  think: z.object({ thought: z.string() }).describe('For the record.'),
  schedule: z.object({ ms: z.number(), reason: z.string() }).describe('Ends, and proposes to look again.'),
  done: z.object({ summary: z.string().optional() }).describe('Refused while operators work.'),
} as const;

type Params = typeof PARAMS;
export type CoordinatorCall = { [K in keyof Params]: { readonly tool: K } & z.infer<Params[K]> }[keyof Params];

export const COORDINATOR_TOOLS: readonly ToolSpec[] = Object.entries(PARAMS).map(([name, params]) =>
  toolSpec(name, params.description ?? '', params),
);

export type ParsedCall = { readonly call: CoordinatorCall } | { readonly error: string };

/** A model's call, checked; what is wrong is answered with what would be right. */
export function parseCoordinatorCall({ name, args, malformed }: ModelCall): ParsedCall {
  if (!Object.hasOwn(PARAMS, name))
    return { error: `There is no tool ${name}. Tools: ${Object.keys(PARAMS).join(', ')}.` };
  if (malformed !== undefined) return { error: `The arguments of ${name} are no JSON: ${malformed.slice(0, 200)}` };
  // Checked above.
  const tool = name as keyof Params;
  const parsed = PARAMS[tool].safeParse(args ?? {});
  // The tool's own schema has just made the data.
  if (parsed.success) return { call: { tool, ...parsed.data } as CoordinatorCall };
  const wrong = parsed.error.issues.map(issue => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  return { error: `${name}: ${wrong.join('; ')}` };
}
