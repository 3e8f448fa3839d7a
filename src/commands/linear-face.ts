import type { LensEvent } from '../model/event.js';
import { initialState, type RunState, reduce } from '../report/state.js';
import type { UiCommand } from '../tui/ui.js';
import type { EvidenceView } from '../tui/world.js';
import type { Extras, Face } from './face.js';
import { progressLine } from './progress.js';
import { plainLines } from './written-report.js';

/** What can be typed once a run has ended. */
export const MENU =
  'Type a question, or: 1 investigate again, 2 write the report, 3 list the evidence, 4 leave, 5 choose the skills.';
/** What can be typed while one is under way. */
const MEANWHILE = 'Meanwhile: a question, 3 list the evidence, 4 leave, p pause and go on.';

/** Prints what happens, and reads each typed line by what was asked last. */
export class LinearFace implements Face {
  #run: RunState = initialState;
  #extras: Extras = {};
  view: (id: string) => EvidenceView | undefined = () => undefined;

  constructor(
    private readonly print: (text: string) => void,
    private readonly menu: string,
  ) {}

  get run(): RunState {
    return this.#run;
  }

  event(event: LensEvent): void {
    this.#run = reduce(this.#run, event);
    // Numbers every other second would talk over everything else.
    if (event.type === 'vitals.read' && this.#run.vitals.length > 1) return;
    if (event.type === 'run.started' && this.menu !== '') this.print(MEANWHILE);
    const line = progressLine(event, this.#run.startedAt || event.at);
    if (line !== undefined) this.print(line);
    if (event.type === 'insight.produced') this.print(`Cause: ${event.insight.severity}: ${event.insight.title}`);
    if (event.type === 'run.finished')
      this.print(`${event.report.verdict}: ${event.report.summary}\n${this.menu}`.trimEnd());
  }

  reset(run: RunState): void {
    this.#run = run;
  }

  extras(extras: Extras): void {
    this.#extras = { ...this.#extras, ...extras };
    if (extras.choices)
      this.print(
        ['Which process? Type its number; 0 leaves.']
          .concat(
            extras.choices.map(
              (c, i) => `${i + 1} pid ${c.pid}, ${c.command}${c.mayAttach ? '' : `, cannot attach: ${c.about}`}`,
            ),
          )
          .join('\n'),
      );
    if (extras.consent)
      this.print(
        `Take this reading? ${extras.consent.title}. It costs: ${extras.consent.costs} It helps: ${extras.consent.helps}\n1 yes, 2 no`,
      );
    if (extras.answer) this.print(extras.answer.text);
  }

  without(name: keyof Extras): void {
    const { [name]: _gone, ...rest } = this.#extras;
    this.#extras = rest;
  }

  notice(text: string): void {
    this.print(text);
  }

  open(evidenceId: string): void {
    const view = this.view(evidenceId);
    const all = view?.sections ?? [];
    // The raw fields of a reading that has a picture of its own would be minutes of speech.
    const sections = all.length > 1 ? all.slice(0, -1) : all;
    const title = view?.title ?? `${evidenceId} holds nothing to show.`;
    this.print([title, ...sections.flatMap(s => [`${s.title}:`, ...plainLines(s)])].join('\n'));
  }

  /** What a typed line means now; undefined when it was answered here. */
  understand(line: string): UiCommand | undefined {
    const text = line.trim();
    if (this.#extras.choices) return this.#choice(text, this.#extras.choices);
    if (this.#extras.consent) return this.#consent(text);
    if (text === '') return undefined;
    if (text === 'p') return this.#pause();
    if (text === '5' || text === 's') return this.#listSkills();
    const named = text.match(/^skills +(.+)$/i)?.[1];
    if (named !== undefined) return this.#look(named.split(/[ ,]+/));
    if (text === '4' || text === 'q') return { do: 'quit' };
    if (text === '1' || text === 'r')
      return this.#isUnderWay() ? this.#later() : { do: 'rerun', reason: this.#run.reason };
    if (text === '2') return { do: 'write-report', pinned: [] };
    if (text === '3') return this.#list();
    const reading = this.#run.readings.find(r => r.id === text);
    if (reading) return this.#opened(reading.id);
    return { do: 'ask', text };
  }

  #choice(text: string, choices: NonNullable<Extras['choices']>): UiCommand | undefined {
    const chosen = choices[Number(text) - 1];
    if (text === '0' || text === 'q') return { do: 'quit' };
    if (chosen?.mayAttach) return { do: 'choose', pid: chosen.pid };
    this.print(
      chosen ? `It cannot be attached to: ${chosen.about}` : `Type a number from 1 to ${choices.length}, or 0.`,
    );
    return undefined;
  }

  #consent(text: string): UiCommand | undefined {
    if (['1', 'y', 'yes'].includes(text)) return { do: 'consent', given: true };
    if (['2', 'n', 'no'].includes(text)) return { do: 'consent', given: false };
    this.print('Type 1 for yes or 2 for no.');
    return undefined;
  }

  #isUnderWay(): boolean {
    return this.#run.startedAt > 0 && this.#run.report === undefined;
  }

  #pause(): UiCommand | undefined {
    if (this.#isUnderWay()) return { do: 'hold', held: !this.#run.held };
    this.print('There is nothing to pause.');
    return undefined;
  }

  #listSkills(): undefined {
    const rows = (this.#extras.skills ?? []).map(({ id, title }) => `${id}: ${title}`);
    this.print([...rows, 'Type for example: skills heap, gc'].join('\n'));
  }

  #look(ids: readonly string[]): UiCommand | undefined {
    const known = (this.#extras.skills ?? []).map(skill => skill.id);
    const unknown = ids.filter(id => !known.includes(id));
    if (unknown.length === 0) return { do: 'look', skills: ids };
    this.print(`There is no skill ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
    return undefined;
  }

  #later(): undefined {
    this.print('It is still investigating; ctrl-c concludes it.');
  }

  #list(): undefined {
    const rows = this.#run.readings.map(r => `${r.id}: ${r.status}${r.reason ? `, ${r.reason}` : ''}`);
    this.print(rows.length > 0 ? [...rows, 'Type an id to read it.'].join('\n') : 'Nothing has been read yet.');
  }

  #opened(id: string): undefined {
    this.open(id);
  }
}
