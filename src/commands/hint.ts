import { answerAbout } from '../coordinator/ask.js';
import type { Evidence } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { Skill } from '../model/skill.js';
import { place } from '../report/markdown.js';
import type { RunState } from '../report/state.js';

/** What a person's words ask of the next pass. */
export interface Hint {
  readonly reason: string;
  /** Absent: everybody looks. */
  readonly only?: readonly string[];
  /** True when the words are a question or a hint that wants an answer at the end. */
  readonly asked: boolean;
}

/** Words that restrict: “only the heap”, “just timers”. */
const RESTRICTS = /\b(only|just|nothing but|solely)\b/i;

/**
 * Rules understand skills and symptoms: a short question about one or two of them looks there alone; a hint that names
 * several, or none, leaves everybody in and makes the named ones urgent.
 */
export function hintOf(text: string, skills: readonly Pick<Skill, 'id' | 'words'>[]): Hint {
  const named = namedSkills(text, skills);
  const restricts = named.length > 0 && (RESTRICTS.test(text) || named.length <= FEW);
  return { reason: text, asked: true, ...(restricts && { only: named }) };
}

/** So few skills answer a question by themselves. */
const FEW = 3;

function namedSkills(text: string, skills: readonly Pick<Skill, 'id' | 'words'>[]): readonly string[] {
  const said = ` ${text.toLowerCase().replace(/[^\p{L}\p{N}-]+/gu, ' ')} `;
  return skills.filter(s => [s.id, ...s.words].some(word => said.includes(` ${word.toLowerCase()} `))).map(s => s.id);
}

type Seat = Parameters<typeof answerAbout>[2];

/** The answer from what the run gathered: first what is known of a place that the question names, then the skills' words. */
export async function answerTo(
  question: string,
  run: RunState,
  evidence: ReadonlyMap<string, Evidence>,
  seat: Seat,
): Promise<string> {
  const places = placesIn(question).map(file => aboutPlace(file, run));
  if (!run.report) return places.join('\n') || 'Nothing has been concluded yet.';
  const { text } = await answerAbout(question, { report: run.report, evidence, snapshots: run.snapshots }, seat);
  return [...places, text].join('\n');
}

/** `src/cart.ts:40`, `quotes.mjs`: names of files, as people write them. */
function placesIn(text: string): readonly string[] {
  return [...text.matchAll(/[\w@./-]+\.[cm]?[jt]sx?\b(?::\d+)?/g)].map(match => match[0]);
}

function aboutPlace(named: string, run: RunState): string {
  const [file = '', line] = named.split(':');
  const accused = run.insights.flatMap(insight =>
    [insight.culprit, ...(insight.related ?? [])].flatMap(at =>
      at && isAt(at, file, line) ? [`${place(at)}: ${insight.title}`] : [],
    ),
  );
  return accused.length > 0 ? accused.join('\n') : `Nothing that was measured points at ${named}.`;
}

function isAt(at: CodeLocation, file: string, line: string | undefined): boolean {
  return (at.file === file || at.file.endsWith(`/${file}`)) && (line === undefined || at.line === Number(line));
}
