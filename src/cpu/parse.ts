import type { V8CpuProfile } from '../model/evidence/v8-cpu-profile.js';

/** Why a text is no CPU profile, in words for a person. */
export type ProfileProblem = { readonly problem: string };

/** Reads the text of a .cpuprofile; a sentence instead when it is something else, cut off or inconsistent. */
export function parseProfile(text: string): V8CpuProfile | ProfileProblem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      problem: looksCut(text)
        ? 'It begins like a CPU profile and ends in the middle: it was cut off.'
        : 'It is not JSON.',
    };
  }
  return problemOf(value) ?? (value as V8CpuProfile); // every field that is read was checked
}

const looksCut = (text: string): boolean => /^\s*\{\s*"(nodes|startTime|typeId)"/.test(text);

function problemOf(value: unknown): ProfileProblem | undefined {
  const profile = fields(value);
  if (!profile) return { problem: 'It is JSON, but not an object.' };
  if ('head' in profile) return { problem: 'It is a sampling heap profile (.heapprofile), not a CPU profile.' };
  if ('snapshot' in profile) return { problem: 'It is a heapSnapshot: `lens heap` reads those.' };
  if ('traceEvents' in profile) return { problem: 'It is a trace; only .cpuprofile files are read.' };
  const { nodes, samples, timeDeltas, startTime, endTime } = profile;
  if (!Array.isArray(nodes) || nodes.length === 0) return { problem: 'It has no nodes.' };
  if (typeof startTime !== 'number' || typeof endTime !== 'number') return { problem: 'It has no start and end time.' };
  if (!nodes.every(isProfileNode)) return { problem: 'One of its nodes has no call frame.' };
  if (!Array.isArray(samples) || !Array.isArray(timeDeltas)) return { problem: 'It has no samples with times.' };
  if (samples.length !== timeDeltas.length)
    return { problem: `It has ${samples.length} samples and ${timeDeltas.length} times: it was cut off or edited.` };
  return undefined;
}

function isProfileNode(node: unknown): boolean {
  const frame = fields(fields(node)?.callFrame);
  return (
    typeof fields(node)?.id === 'number' && typeof frame?.functionName === 'string' && typeof frame.url === 'string'
  );
}

function fields(value: unknown): Record<string, unknown> | undefined {
  // Any object may be looked at by key; each value is checked where it is used.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
