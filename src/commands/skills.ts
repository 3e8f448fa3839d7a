import { Command } from 'commander';
import { z } from 'zod';
import { LensError } from '../model/error.js';
import type { Skill } from '../model/skill.js';
import { skills } from '../skills/index.js';

/** What lens can look at and what each skill can be asked; all of it read from the skills themselves. */
export function skillsCommand(): Command {
  return new Command('skills')
    .description('what lens can look at, and what it can ask')
    .argument('[id]', 'one skill with its queries')
    .option('--json', 'as JSON, with the parameter schemas')
    .action((id: string | undefined, options: { json?: boolean }) => {
      const chosen = id === undefined ? skills : skills.filter(skill => skill.id === id);
      if (chosen.length === 0) throw unknownSkill(id ?? '');
      process.stdout.write(
        options.json ? `${JSON.stringify(chosen.map(plain), null, 2)}\n` : text(chosen, id !== undefined),
      );
    });
}

function unknownSkill(id: string): LensError {
  return new LensError('usage', `There is no skill ${id}.`, `There are: ${skills.map(s => s.id).join(', ')}.`);
}

function plain(skill: Skill): object {
  const { id, title, description, scope, words } = skill;
  const queries = skill.queries.map(q => ({ name: q.name, doc: q.doc, params: z.toJSONSchema(q.params) }));
  return { id, title, description, scope, words, queries };
}

function text(chosen: readonly Skill[], whole: boolean): string {
  return `${chosen.map(skill => (whole ? chapter(skill) : `${skill.id.padEnd(14)} ${skill.description}`)).join('\n')}\n`;
}

function chapter(skill: Skill): string {
  const queries = skill.queries.map(q => `  ${q.name}\n      ${q.doc}`);
  return [`${skill.title} (${skill.id})`, skill.description, `Scope: ${skill.scope}`, 'Queries:', ...queries].join(
    '\n',
  );
}
