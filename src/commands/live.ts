import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { render } from 'ink';
import { createElement } from 'react';
import { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import { type AttachTarget, attach } from '../inspector/attach.js';
import type { Session } from '../inspector/session.js';
import { emitVitals } from '../live.js';
import { LensError } from '../model/error.js';
import type { EventBody, LensEvent } from '../model/event.js';
import type { Evidence, EvidenceKind, EvidenceParams } from '../model/evidence/index.js';
import type { Probe } from '../model/probe.js';
import { markdownOf } from '../report/markdown.js';
import { initialState } from '../report/state.js';
import { finish, lookInto, type Plan, type RunEnv } from '../run.js';
import { skills } from '../skills/index.js';
import { openRunDirectory, type RunDirectory, runsHome } from '../stores/run-directory.js';
import { App } from '../tui/app.js';
import type { UiCommand } from '../tui/ui.js';
import { version } from '../version.js';
import type { AttachOptions, Start } from './attach.js';
import { viewOf } from './evidence-view.js';
import { EXIT, exitOfReport } from './exit.js';
import { identifiers } from './identifiers.js';
import { ownOverhead } from './overhead.js';
import { Show } from './show.js';
import { learnSecretsOf } from './target-secrets.js';
import { takeTerminal, wantsAscii, wantsColor } from './terminal.js';

/** What a person's "take a reading now" asks with. */
const READ_PARAMS: { readonly [K in EvidenceKind]?: EvidenceParams<K> } = {
  vitals: { seconds: 3 },
  'cpu-profile': { seconds: 5, intervalUs: 1000 },
  'collection-growth': {},
  'in-flight': {},
  'async-dump': { seconds: 4 },
  handles: {},
  process: {},
};

/** Shows one process live until the person leaves; ends with the report's exit code, the target always released. */
export async function runLive(start: Start, options: AttachOptions): Promise<number> {
  const live = new Live(options);
  const terminal = takeTerminal(process.stdout, process.stdin, options.altScreen);
  const ink = render(createElement(App, { stage: live.show }), {
    exitOnCtrlC: false,
    patchConsole: false,
    incrementalRendering: true,
    maxFps: 10,
  });
  const onResize = () => live.show.refresh();
  process.stdout.on('resize', onResize);
  live.onTerminal = { copy: text => terminal.copy(text), suspend: () => terminal.suspend(() => live.show.refresh()) };
  for (const [signal, code] of [
    ['SIGTERM', EXIT.terminated],
    ['SIGHUP', EXIT.hungUp],
  ] as const)
    process.once(signal, () => live.leave(code));
  try {
    return await live.run(start);
  } finally {
    process.stdout.off('resize', onResize);
    ink.unmount();
    terminal.leave();
    live.afterwards();
  }
}

class Live {
  readonly show: Show;
  onTerminal: { copy(text: string): void; suspend(): void } | undefined;
  readonly #evidence = new Map<string, Evidence>();
  readonly #pinned: string[] = [];
  readonly #redactor = new Redactor();
  readonly #left = new AbortController();
  #interrupt = new AbortController();
  #chosen: ((pid: number) => void) | undefined;
  #consented: ((given: boolean) => void) | undefined;
  #next: ((reason: string) => void) | undefined;
  #probe: Probe | undefined;
  #exit: number = EXIT.done;
  #directory: RunDirectory | undefined;

  constructor(private readonly options: AttachOptions) {
    this.show = new Show({
      ascii: options.ascii ?? wantsAscii(process.env),
      color: wantsColor(process.env),
      size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
      view: id => {
        const evidence = this.#evidence.get(id);
        return evidence && viewOf(evidence);
      },
      onCommand: command => this.#perform(command),
    });
  }

  leave(code: number): void {
    this.#exit = code;
    this.#left.abort(new Error('left'));
    this.#interrupt.abort(new Error('left'));
    this.#chosen?.(0);
    this.#next?.('');
    this.#consented?.(false);
  }

  async run(start: Start): Promise<number> {
    const where = 'where' in start ? start.where : await this.#choose(start.choices);
    if (!where) return this.#exit;
    const stopOverhead = ownOverhead(overhead => this.show.extras({ overhead }));
    const session = await attach(where, { signal: this.#left.signal });
    try {
      await this.#watch(session);
    } finally {
      stopOverhead();
      await session.detach();
    }
    return this.#exit;
  }

  /** Once the screen is given back: where the run is kept, and the cause in a line. */
  afterwards(): void {
    const { report } = this.show.run;
    if (report) process.stdout.write(`${report.verdict}: ${report.summary}\n`);
    if (this.#directory) process.stderr.write(`kept in ${this.#directory.path}\n`);
  }

  async #watch(session: Session): Promise<void> {
    const vitals = new AbortController();
    const watching = emitVitals(session, { emit: body => this.#emitVitals(body), now: Date.now, sleep }, vitals.signal);
    session.lost.addEventListener('abort', () =>
      this.show.notice('The target is gone: what was seen stays here; q leaves.'),
    );
    let reason: string | undefined = this.options.reason ?? '';
    while (reason !== undefined && !this.#left.signal.aborted) {
      await this.#investigate(session, reason);
      reason = await this.#nextReason();
    }
    vitals.abort(new Error('left'));
    await watching;
  }

  async #investigate(session: Session, reason: string): Promise<void> {
    const { newId, runId, traceId } = identifiers();
    const directory = openRunDirectory(this.options.dir ?? join(runsHome(process.env), runId), version);
    this.#directory = directory;
    this.#interrupt = new AbortController();
    const { vitals } = this.show.run;
    this.show.reset({ ...initialState, vitals });
    const emit = (body: EventBody) => this.#emit({ at: Date.now(), runId, traceId, ...body }, directory);
    const env: RunEnv = {
      now: Date.now,
      newId,
      traceId,
      version,
      emit,
      state: () => this.show.run,
      keep: (evidence, params) => {
        const clean = this.#redactor.deep(evidence);
        this.#evidence.set(clean.id, clean);
        return directory.keep(clean, params);
      },
      sleep,
      interrupt: this.#interrupt.signal,
      consent: (title, refusal) => this.#consent(title, refusal),
      onProbe: probe => {
        this.#probe = probe;
      },
    };
    const plan: Plan = { reason, skills, safety: this.options.safety, maxPauseMs: this.options.maxPause };
    emit({ type: 'run.started', reason, lens: version, planner: 'rules' });
    emit({ type: 'target.attached', target: session.target, openedInspector: session.openedInspector, attachMs: 0 });
    await lookInto(session, plan, env);
    const report = finish(env);
    directory.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
    directory.write('report.md', markdownOf(report));
    directory.close();
    if (!this.#left.signal.aborted) this.#exit = exitOfReport(report, this.options.failOn, session.lost.aborted);
  }

  #emit(event: LensEvent, directory: RunDirectory): void {
    if (event.type === 'target.attached') learnSecretsOf(event.target.pid, this.#redactor);
    const clean = this.#redactor.deep(event);
    directory.append(clean);
    this.show.event(clean);
  }

  /** A live screen's vitals are for the eye: they are not part of any run's record. */
  #emitVitals(body: EventBody): void {
    this.show.event({ at: Date.now(), runId: this.show.run.runId, traceId: '', ...body });
  }

  #nextReason(): Promise<string | undefined> {
    if (this.#left.signal.aborted) return Promise.resolve(undefined);
    return new Promise(resolve => {
      this.#next = reason => resolve(this.#left.signal.aborted ? undefined : reason);
    });
  }

  async #choose(choices: Extract<Start, { choices: unknown }>['choices']): Promise<AttachTarget | undefined> {
    this.show.extras({ choices });
    const pid = await new Promise<number>(resolve => {
      this.#chosen = resolve;
    });
    this.show.without('choices');
    return pid === 0 ? undefined : { pid };
  }

  async #consent(title: string, refusal: string): Promise<boolean> {
    if (this.#left.signal.aborted) return false;
    this.show.extras({
      consent: {
        title,
        costs: refusal,
        helps: 'An operator asked for it: without it that question stays open in the report.',
      },
    });
    const given = await new Promise<boolean>(resolve => {
      this.#consented = resolve;
    });
    this.show.without('consent');
    return given;
  }

  #perform(command: UiCommand): void {
    switch (command.do) {
      case 'quit':
        return this.leave(this.#exit);
      case 'interrupt':
        return this.#interruptOrLeave();
      case 'rerun':
      case 'ask':
        return this.#again(command.do === 'ask' ? command.text : command.reason);
      case 'read':
        return void this.#read(command.kind);
      case 'pin':
        return void this.#pinned.push(command.evidenceId);
      case 'write-report':
        return this.#write();
      case 'copy':
        return this.onTerminal?.copy(command.text);
      case 'consent':
        return this.#consented?.(command.given);
      case 'choose':
        return this.#chosen?.(command.pid);
      case 'redraw':
        return this.show.refresh();
      case 'suspend':
        return this.onTerminal?.suspend();
      default:
        return undefined;
    }
  }

  /** The first Ctrl-C concludes the investigation, one more leaves. */
  #interruptOrLeave(): void {
    if (this.show.run.report || this.#interrupt.signal.aborted) return this.leave(EXIT.interrupted);
    this.#interrupt.abort(new Error('interrupted'));
    this.show.notice('Concluding with what there is; ctrl-c once more leaves.');
  }

  #again(reason: string): void {
    if (!this.show.run.report)
      return this.show.notice('Noted; ask again when this investigation has ended (i interrupts it).');
    this.#next?.(reason);
  }

  async #read(kind: string): Promise<void> {
    const params = READ_PARAMS[kind as EvidenceKind];
    if (!this.#probe || !params) return this.show.notice(`${kind} cannot be read now.`);
    this.show.notice(`reading ${kind}…`);
    try {
      // READ_PARAMS pairs every kind with its own params.
      const evidence = await this.#probe.ask(kind as EvidenceKind, params as never, { freshMs: 0 });
      this.show.open(evidence.id);
    } catch (error) {
      this.show.notice(error instanceof LensError ? error.message : String(error));
    }
  }

  #write(): void {
    const { report } = this.show.run;
    if (!report) return this.show.notice('There is no report yet.');
    const path = 'lens-report.md';
    const pinned = this.#pinned.length > 0 ? `\n## Pinned\n\n${this.#pinned.map(id => `- ${id}`).join('\n')}\n` : '';
    try {
      writeFileSync(path, markdownOf(report) + pinned);
      this.show.notice(`Written to ${path}.`);
    } catch (error) {
      this.show.notice(`${path} could not be written: ${(error as Error).message}`);
    }
  }
}
