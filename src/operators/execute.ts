import type { Redactor } from '../base/redact.js';
import type { Probe } from '../model/probe.js';
import type { Query, Skill, ToolResult } from '../model/skill.js';
import type { SandboxFunction } from '../sandbox/run-query-script.js';
import { type BaseSeat, baseQueries } from './base-queries.js';

export interface ExecuteSeat extends BaseSeat {
  readonly signal: AbortSignal;
  readonly redactor: Pick<Redactor, 'deep' | 'restore'>;
}

/** The skill's queries and the base queries; a skill's own win over base ones of the same name. */
export function queriesFor(skill: Skill, seat: BaseSeat): readonly Query[] {
  const own = new Set(skill.queries.map(query => query.name));
  return [...skill.queries, ...baseQueries(seat).filter(query => !own.has(query.name))];
}

/** Runs a model's script with the skill's queries; the sandbox is loaded by the first script. */
export async function executeScript(skill: Skill, code: string, probe: Probe, seat: ExecuteSeat): Promise<ToolResult> {
  const { runQueryScript } = await import('../sandbox/run-query-script.js');
  const functions = queriesFor(skill, seat).map(query => withProbe(query, probe, seat.redactor));
  const answer = await runQueryScript(code, functions, { signal: seat.signal });
  const printed = answer.log.length > 0 ? { printed: answer.log } : {};
  if ('error' in answer) return { ok: false, error: [answer.error, ...answer.log].join('\n') };
  return { ok: true, value: answer.log.length > 0 ? { value: answer.value, ...printed } : answer.value };
}

/**
 * Secrets are taken out before a script sees an answer: what it then cuts, spells backwards or encodes, no pattern at
 * the provider's door would know again.
 */
function withProbe(query: Query, probe: Probe, redactor: ExecuteSeat['redactor']): SandboxFunction {
  const { name, doc, params } = query;
  return { name, doc, params, run: async given => redactor.deep(await query.run(restored(given, redactor), probe)) };
}

/** Arguments with the true words: a model asks for the path it was shown. */
function restored<T>(given: T, redactor: ExecuteSeat['redactor']): T {
  // The same JSON with other strings.
  return JSON.parse(JSON.stringify(given ?? {}), (_, value) =>
    typeof value === 'string' ? redactor.restore(value) : value,
  ) as T;
}
