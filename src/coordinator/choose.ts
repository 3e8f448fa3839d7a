import type { Skill } from '../model/skill.js';

/** The skills to invoke, and those that the words of the reason point at: these look closer and wait longer. */
export interface Choice {
  readonly skills: readonly Skill[];
  readonly urgent: ReadonlySet<string>;
  readonly why: string;
}

/** Everybody takes a first look; the reason decides who is urgent, never who is left out: people guess wrong at night. */
export function choose(skills: readonly Skill[], reason: string, only: readonly string[] | undefined): Choice {
  const chosen = only ? skills.filter(s => only.includes(s.id)) : skills;
  const urgent = new Set(chosen.filter(skill => mentions(reason, skill)).map(s => s.id));
  const why = only
    ? `asked for: ${only.join(', ')}`
    : urgent.size > 0
      ? `the reason points at ${[...urgent].join(', ')}; the others take a first look`
      : 'no reason that points anywhere: all take a first look';
  return { skills: chosen, urgent, why };
}

function mentions(reason: string, skill: Skill): boolean {
  const words = new Set(reason.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  return [skill.id, ...skill.words].some(word =>
    word.includes(' ') ? reason.toLowerCase().includes(word) : words.has(word.toLowerCase()),
  );
}
