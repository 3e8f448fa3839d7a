import { writeFileSync } from 'node:fs';
import { Gate } from '../base/gate.js';
import { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import type { AttachTarget } from '../inspector/attach.js';
import { TargetBlockedError } from '../inspector/native-block.js';
import type { Session } from '../inspector/session.js';
import { emitVitals } from '../live.js';
import { type Mind, openMind } from '../mind.js';
import { LensError } from '../model/error.js';
import type { EventBody, LensEvent } from '../model/event.js';
import type { Evidence, EvidenceKind } from '../model/evidence/index.js';
import type { Probe } from '../model/probe.js';
import type { Report } from '../model/report.js';
import { markdownOf } from '../report/markdown.js';
import { initialState } from '../report/state.js';
import { concludeBlocked, finish, lookInto, type Plan, type RunEnv, reach } from '../run.js';
import { skills } from '../skills/index.js';
import type { RunDirectory } from '../stores/run-directory.js';
import type { UiCommand } from '../tui/ui.js';
import type { EvidenceView } from '../tui/world.js';
import { version } from '../version.js';
import type { AttachOptions } from './attach.js';
import { paramsByHand } from './by-hand.js';
import { carryingOver } from './carry-over.js';
import { requestRate } from './evidence/request-rate.js';
import { viewOf } from './evidence/view.js';
import { EXIT, exitOfReport } from './exit.js';
import type { Face } from './face.js';
import { answerTo, type Hint, hintOf } from './hint.js';
import { identifiers } from './identifiers.js';
import { knownSkills } from './investigation.js';
import { openRecording } from './recording.js';
import { writeReports } from './written-report.js';

/** What only the one who owns the terminal can do. */
export interface TerminalDoor {
  copy(text: string): void;
  mouse(on: boolean): void;
  redraw(): void;
  suspend(): void;
}

/** One attached process, investigated as often as the person wants, until they leave. */
export class Live {
  readonly #evidence = new Map<string, Evidence>();
  readonly #redactor = new Redactor();
  readonly #gate = new Gate();
  /** One count for all passes: `vitals-3` is one reading as long as the screen stands. */
  readonly #newId = identifiers().newId;
  readonly #left = new AbortController();
  #interrupt = new AbortController();
  #chosen: ((pid: number) => void) | undefined;
  #consented: ((given: boolean) => void) | undefined;
  #next: ((hint: Hint | undefined) => void) | undefined;
  #queued: Hint | undefined;
  #probe: Probe | undefined;
  #exit: number = EXIT.done;
  #directory: RunDirectory | undefined;
  #passes = 0;
  #emit: RunEnv['emit'] = () => undefined;
  /** What the last pass concluded. */
  #found: Report | undefined;

  constructor(
    private readonly face: Face,
    private readonly door: TerminalDoor,
    private readonly options: AttachOptions,
  ) {
    face.extras({ skills });
  }

  view(id: string): EvidenceView | undefined {
    const evidence = this.#evidence.get(id);
    return evidence && viewOf(evidence);
  }

  requestRate(id: string): number | undefined {
    return requestRate(this.#evidence.get(id));
  }

  /** Ends everything, whatever is under way. */
  leave(code: number): void {
    this.#exit = code;
    this.#left.abort(new Error('left'));
    this.#interrupt.abort(new Error('left'));
    this.#gate.open();
    this.#chosen?.(0);
    this.#next?.(undefined);
    this.#consented?.(false);
  }

  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** Which process the person wants; undefined when they leave instead. */
  async choose(choices: NonNullable<Parameters<Face['extras']>[0]['choices']>): Promise<AttachTarget | undefined> {
    this.face.extras({ choices });
    const pid = await new Promise<number>(resolve => {
      this.#chosen = resolve;
    });
    this.face.without('choices');
    return pid === 0 ? undefined : { pid };
  }

  /** Watches and investigates until the person leaves; the exit code. `attaching` is under way already. */
  async run(where: AttachTarget, attaching: Promise<Session>): Promise<number> {
    let hint: Hint | undefined = await this.#firstHint(attaching);
    let session: Session | TargetBlockedError | undefined = await this.#reach(where, attaching);
    while (hint && session) {
      hint = await (session instanceof TargetBlockedError ? this.#blocked(session, hint) : this.#watch(session, hint));
      if (hint) session = await this.#reachAgain(where);
    }
    return this.#exit;
  }

  /** A skill that there is not is told at once, and what is being attached is let go again. */
  async #firstHint(attaching: Promise<Session>): Promise<Hint> {
    try {
      return this.#asStarted();
    } catch (error) {
      await attaching.then(
        session => session.detach(),
        () => undefined, // the wrong name is the one to tell
      );
      throw error;
    }
  }

  /** What the command line asks for. */
  #asStarted(): Hint {
    const { skills: named, reason = '' } = this.options;
    return { reason, asked: false, ...(named !== undefined && { only: knownSkills(named) }) };
  }

  #reach(where: AttachTarget, attaching?: Promise<Session>): Promise<Session | TargetBlockedError> {
    const emit = (event: EventBody) => event.type === 'target.awaited' && this.face.notice(event.why);
    return reach(where, { interrupt: this.#left.signal, emit }, attaching);
  }

  /** A target that let lens go (a long suspension, a broken line) may still be there; undefined when the person leaves. */
  async #reachAgain(where: AttachTarget): Promise<Session | TargetBlockedError | undefined> {
    while (!this.#left.signal.aborted) {
      try {
        return await this.#reach(where);
      } catch (error) {
        if (!(error instanceof LensError)) throw error;
        this.face.notice(error.message);
        if (!(await this.#nextHint())) return undefined;
      }
    }
    return undefined;
  }

  /** Where the run is kept, or why it is not, in a sentence; undefined while there is none. */
  get kept(): string | undefined {
    if (!this.#directory) return undefined;
    const { path, failed } = this.#directory;
    return failed ? `lens: the run could not be kept in ${path}: ${failed.message}.` : `kept in ${path}`;
  }

  async #blocked(error: TargetBlockedError, { reason }: Hint): Promise<Hint | undefined> {
    const { env, directory } = this.#open();
    env.emit({ type: 'run.started', reason, lens: version, planner: 'rules' });
    const report = await concludeBlocked(error, env);
    fileReport(report, directory);
    this.#exit = exitOfReport(report, this.options.failOn, false);
    return this.#nextHint();
  }

  /** Investigates this session until the person leaves; a hint comes back when the session was lost and they go on. */
  async #watch(session: Session, first: Hint): Promise<Hint | undefined> {
    const vitals = new AbortController();
    const watching = emitVitals(session, { emit: body => this.#emitVitals(body), now: Date.now, sleep }, vitals.signal);
    session.lost.addEventListener('abort', () => {
      this.#gate.open();
      this.face.notice('The target is gone, or let lens go. What was seen stays here; r tries again, q leaves.');
    });
    try {
      let hint: Hint | undefined = this.options.hold ? await this.#begin(session) : first;
      while (hint && !session.lost.aborted && !this.#left.signal.aborted) {
        await this.#investigate(session, hint);
        hint = await this.#nextHint();
      }
      return hint;
    } finally {
      vitals.abort(new Error('left'));
      await watching;
      await session.detach();
    }
  }

  /** Shows the numbers alone until the person has something looked at. */
  #begin({ target, openedInspector }: Session): Promise<Hint | undefined> {
    const event = { type: 'target.attached', target, openedInspector, attachMs: 0 } as const;
    this.face.event({ at: Date.now(), runId: '', traceId: '', ...event });
    this.face.notice('Only the numbers are read: r investigates, s chooses who does.');
    return this.#nextHint();
  }

  async #investigate(session: Session, hint: Hint): Promise<void> {
    const { env, directory } = this.#open();
    const mind = await this.#mind(env);
    const plan: Plan = {
      reason: hint.reason,
      skills,
      safety: this.options.safety,
      maxPauseMs: this.options.maxPause,
      ...(hint.only && { only: hint.only }),
    };
    env.emit({ type: 'run.started', reason: hint.reason, lens: version, planner: mind ? 'model' : 'rules' });
    env.emit({
      type: 'target.attached',
      target: session.target,
      openedInspector: session.openedInspector,
      attachMs: 0,
    });
    const pass = (env: RunEnv) => lookInto(session, plan, mind ? { ...env, mind } : env);
    const earlier = this.#found && { report: this.#found, evidence: this.#evidence };
    await (earlier && hint.only ? carryingOver(earlier, hint.only, env, pass) : pass(env));
    const report = finish(env);
    fileReport(report, directory);
    if (!this.#left.signal.aborted) this.#exit = exitOfReport(report, this.options.failOn, session.lost.aborted);
    this.#found = report;
    if (hint.asked) await this.#answer(hint.reason, mind);
  }

  async #answer(question: string, mind: Mind | undefined): Promise<void> {
    const { run } = this.face;
    const failed = (message: string) => this.face.notice(message);
    const seat = { signal: this.#left.signal, failed, ...(mind && { provider: mind.provider('ask') }) };
    this.face.extras({ answer: { question, text: await answerTo(question, run, this.#evidence, seat) } });
    this.face.notice('Answered: 2 shows it.');
  }

  /** Each pass is a run of its own: the second goes beside the first. */
  #path(): string | undefined {
    this.#passes += 1;
    const { dir } = this.options;
    return dir !== undefined && this.#passes > 1 ? `${dir}-${this.#passes}` : dir;
  }

  /** A pause is part of the run: a replay shows it. */
  #hold(held: boolean): void {
    if (held) this.#gate.close();
    else this.#gate.open();
    this.#emit({ type: 'run.held', held });
    this.face.notice(held ? 'Paused: what is being read ends, nothing else begins; p goes on.' : 'It goes on.');
  }

  #open(): { readonly env: RunEnv; readonly directory: RunDirectory } {
    this.#interrupt = new AbortController();
    if (this.#left.signal.aborted) this.#interrupt.abort(new Error('left'));
    const { runId, directory, env } = openRecording({
      redactor: this.#redactor,
      interrupt: this.#interrupt.signal,
      path: this.#path(),
      newId: this.#newId,
      onEvent: event => this.face.event(event),
      onEvidence: read => this.#evidence.set(read.id, read),
    });
    this.#directory = directory;
    this.#emit = env.emit;
    this.#gate.open();
    this.face.reset({ ...initialState, runId, vitals: this.face.run.vitals });
    const live: RunEnv = {
      ...env,
      gate: this.#gate,
      state: () => this.face.run,
      consent: (title, refusal) => this.#consent(title, refusal),
      onProbe: probe => {
        this.#probe = probe;
      },
    };
    return { env: live, directory };
  }

  #mind({ emit }: RunEnv): Promise<Mind | undefined> {
    const env = { now: Date.now, sleep, random: Math.random, emit, redactor: this.#redactor };
    return openMind(this.options, process.env, env);
  }

  /** Kept while a run is under way, so that a replay shows the same numbers. */
  #emitVitals(body: EventBody): void {
    const event: LensEvent = { at: Date.now(), runId: this.face.run.runId, traceId: '', ...body };
    if (!this.face.run.report) this.#directory?.append(event);
    this.face.event(event);
  }

  #nextHint(): Promise<Hint | undefined> {
    if (this.#left.signal.aborted) return Promise.resolve(undefined);
    const queued = this.#queued;
    this.#queued = undefined;
    if (queued) return Promise.resolve(queued);
    return new Promise(resolve => {
      this.#next = resolve;
    });
  }

  async #consent(title: string, refusal: string): Promise<boolean> {
    if (this.#left.signal.aborted) return false;
    const helps = 'It was asked for: without it that question stays open in the report.';
    this.face.extras({ consent: { title, costs: refusal, helps } });
    const given = await new Promise<boolean>(resolve => {
      this.#consented = resolve;
    });
    this.face.without('consent');
    return given;
  }

  perform(command: UiCommand): void {
    switch (command.do) {
      case 'quit':
        this.leave(this.#exit);
        break;
      case 'interrupt':
        this.#conclude(command.orLeave);
        break;
      case 'rerun':
        this.#again(this.face.run.startedAt > 0 ? { reason: command.reason, asked: false } : this.#asStarted());
        break;
      case 'look':
        this.#again({ ...this.#asStarted(), only: command.skills });
        break;
      case 'hold':
        this.#hold(command.held);
        break;
      case 'ask':
        this.#again(hintOf(command.text, skills));
        break;
      case 'read':
        void this.#read(command.kind);
        break;
      case 'write-report':
        this.#write(command.pinned);
        break;
      case 'copy':
        this.door.copy(command.text);
        break;
      case 'consent':
        this.#consented?.(command.given);
        break;
      case 'choose':
        this.#chosen?.(command.pid);
        break;
      case 'mouse':
        this.door.mouse(command.on);
        break;
      case 'redraw':
        this.door.redraw();
        break;
      case 'suspend':
        this.door.suspend();
        break;
      default:
        break;
    }
  }

  /** The first Ctrl-C concludes the investigation, one more leaves. */
  #conclude(orLeave: boolean): void {
    const nothingLeft = this.face.run.report !== undefined || this.#interrupt.signal.aborted || !this.face.run.target;
    if (nothingLeft && orLeave) {
      this.leave(EXIT.interrupted);
      return;
    }
    this.#interrupt.abort(new Error('interrupted'));
    this.#gate.open();
    this.face.notice('Concluding with what there is; ctrl-c leaves.');
  }

  #again(hint: Hint): void {
    const { lost, report } = this.face.run;
    const where = hint.only ? hint.only.join(', ') : 'everything';
    if (lost && hint.asked) void this.#answer(hint.reason, undefined);
    else if (this.#next) {
      this.face.notice(`Looking at ${where}${report ? ' again' : ''}.`);
      this.#next(hint);
      this.#next = undefined;
    } else {
      this.#queued = hint;
      this.face.notice(`Noted: when this pass has ended, lens looks at ${where} for that (i ends it now).`);
    }
  }

  async #read(kind: string): Promise<void> {
    const params = paramsByHand(kind, this.#directory?.path);
    if (!this.#probe || !params) return this.face.notice(`${kind} cannot be read now.`);
    this.face.notice(`reading ${kind}…`);
    try {
      // READ_PARAMS pairs every kind with its own params.
      const evidence = await this.#probe.ask(kind as EvidenceKind, params as never, { freshMs: 0, byHand: true });
      this.face.open(evidence.id);
    } catch (error) {
      this.face.notice(error instanceof LensError ? error.message : String(error));
    }
  }

  #write(pinned: readonly string[]): void {
    const views = pinned.flatMap(id => this.view(id) ?? []);
    const profiles = [...this.#evidence.values()];
    this.face.notice(writeReports(this.face.run, views, profiles, (path, text) => writeFileSync(path, text)));
  }
}

function fileReport(report: Report, directory: RunDirectory): void {
  directory.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  directory.write('report.md', markdownOf(report));
  directory.close();
}
