import type { Probe } from '../model/probe.js';
import type { Query, Skill, ToolResult } from '../model/skill.js';
import type { SandboxFunction } from '../sandbox/run-query-script.js';
import { type BaseSeat, baseQueries } from './base-queries.js';

export interface ExecuteSeat extends BaseSeat {
  readonly signal: AbortSignal;
}

/** The skill's queries and the base queries; a skill's own win over base ones of the same name. */
export function queriesFor(skill: Skill, seat: BaseSeat): readonly Query[] {
  const own = new Set(skill.queries.map(query => query.name));
  return [...skill.queries, ...baseQueries(seat).filter(query => !own.has(query.name))];
}

/** Runs a model's script with the skill's queries; the sandbox is loaded by the first script. */
export async function executeScript(skill: Skill, code: string, probe: Probe, seat: ExecuteSeat): Promise<ToolResult> {
  const { runQueryScript } = await import('../sandbox/run-query-script.js');
  const functions = queriesFor(skill, seat).map(query => withProbe(query, probe));
  const answer = await runQueryScript(code, functions, { signal: seat.signal });
  const printed = answer.log.length > 0 ? { printed: answer.log } : {};
  if ('error' in answer) return { ok: false, error: [answer.error, ...answer.log].join('\n') };
  return { ok: true, value: answer.log.length > 0 ? { value: answer.value, ...printed } : answer.value };
}

function withProbe(query: Query, probe: Probe): SandboxFunction {
  return { name: query.name, doc: query.doc, params: query.params, run: params => query.run(params, probe) };
}
