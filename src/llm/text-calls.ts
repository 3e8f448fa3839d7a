import type { Json } from '../model/json.js';
import type { ModelCall, ToolSpec } from './provider.js';

/**
 * Small models often write a call as text: `{"name": "take_snapshot", "arguments": {}}`, bare, fenced or in tags.
 * Only names of real tools count, so that prose about JSON stays prose.
 */
export function callsInText(text: string, tools: readonly ToolSpec[]): ModelCall[] {
  const bare = text.replace(/<\/?(?:tool_call|function_call)>/g, '').replace(/```(?:json)?/g, '');
  const found = jsonObjects(bare).flatMap(parsed => (Array.isArray(parsed) ? parsed : [parsed]));
  return found.flatMap((item, at) => asCall(item, `text-${at}`, tools));
}

const MOST_CALLS = 8;

function jsonObjects(text: string): Json[] {
  const whole = text.trim();
  if (!/^[[{]/.test(whole)) return [];
  const one = parsed(whole);
  return one.length > 0 ? one : whole.split(/\n+/).flatMap(parsed).slice(0, MOST_CALLS);
}

function parsed(text: string): Json[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

function asCall(item: Json, id: string, tools: readonly ToolSpec[]): ModelCall[] {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
  const fields = item as { readonly [key: string]: Json };
  const { name = fields.tool, arguments: given = fields.parameters } = fields;
  if (typeof name !== 'string' || !tools.some(tool => tool.name === name)) return [];
  return [{ id, name, args: given ?? {} }];
}
