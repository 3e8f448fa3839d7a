import type { Redactor } from '../base/redact.js';
import { COMPACT_ABOVE_TOKENS, compacted, estimateTokens } from '../llm/compaction.js';
import { asText, fence } from '../llm/fence.js';
import { ModelError } from '../llm/model-error.js';
import type { Message, ModelCall, ModelReply, ModelRequest, Provider } from '../llm/provider.js';
import type { EventBody } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import type { NotificationDraft } from '../model/notification.js';
import { type HealthState, SEVERITIES } from '../model/severity.js';
import type { Conclusion, Outcome, Skill, ToolCall, ToolResult } from '../model/skill.js';
import type { TargetInfo } from '../model/target.js';
import { baseQueries } from './base-queries.js';
import { queriesFor } from './execute.js';
import type { Answered, Planner, Turn } from './operator.js';
import { FORCE, firstMessage, NUDGE, systemPrompt } from './prompt.js';
import { Repeats } from './repeats.js';
import { hasId, RulesNotes } from './rules-notes.js';
import { parseCall, TOOL_SPECS } from './tools.js';
import { weighed } from './weighed.js';

/** DESIGN §5. */
export const MODEL_TURNS = 25;
const CALLS_A_TURN = 8;
/** So often a notification goes back for correction; after that it is sent as far as it holds. */
const CORRECTIONS = 2;
/** Turns without any tool call before the words are taken as the conclusion. */
const IDLE_TURNS = 2;
const OUTPUT_TOKENS = 4096;
/** Wall clock of one operator's model, in milliseconds; the run's own deadline may be shorter. */
const DEADLINE_MS = 180_000;

/** The last answer may take this long beyond the deadline. */
const LAST_ANSWER_MS = 20_000;

/** What verification in code makes of a draft before it is sent. */
export interface CheckedDraft {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly draft: NotificationDraft;
}

export interface ModelSeat {
  readonly target: TargetInfo;
  readonly reason: string;
  /** False: a skill whose rules saw nothing is left at that, and no model is asked. */
  readonly urgent: boolean;
  /** Says that the rules of this skill have concluded; resolves when those of all have, with whether a cause is known. */
  readonly rulesConcluded?: () => Promise<boolean>;
  readonly provider: Provider;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly emit: (event: EventBody) => void;
  /** Every reading of this run, by its id. */
  readonly evidence: () => ReadonlyMap<string, Evidence>;
  /** Cleans what is cut short before it goes out: half a secret looks like none. */
  readonly redactor: Pick<Redactor, 'deep'>;
  /** The floor: the same skill's rule planner. */
  readonly rules: Planner;
  /** `first`: rules play, then the model goes on from what they read. `fallback`: rules play only when the model fails. Default `first`. */
  readonly floor?: 'first' | 'fallback';
  /** Checks a draft against what was read and computed; without it drafts are sent as they are. */
  readonly check?: (draft: NotificationDraft, answers: readonly unknown[]) => CheckedDraft;
  /** Checks the words of a conclusion; answers with what is wanting. */
  readonly checkWords?: (text: string, answers: readonly unknown[]) => readonly string[];
  readonly deadlineMs?: number;
}

/** Asks a model for the next calls. Whatever the model does, it ends: in a conclusion of its own, or of the rules. */
export function modelPlanner(skill: Skill, seat: ModelSeat): Planner {
  const mind = new ModelMind(skill, seat);
  const maxTurns = MODEL_TURNS + seat.rules.maxTurns;
  return { kind: 'model', maxTurns, next: turn => mind.next(turn), soFar: () => mind.ruled };
}

/** A call of the model's last turn: handed to the operator, or answered here with why not. */
interface Pending {
  readonly call: ModelCall;
  readonly refused?: string;
}

interface Judged extends Pending {
  readonly run?: ToolCall;
}

class ModelMind {
  #phase: 'rules' | 'model' | 'fallback';
  #messages: Message[] = [];
  #pending: Pending[] = [];
  #turns = 0;
  #idle = 0;
  #corrections = 0;
  #heldBack = 0;
  /** Of what the model itself noticed. */
  #loudest = 0;
  #contextTokens = 0;
  #startedAt: number | undefined;
  #ruled: Conclusion | undefined;
  #ruledState: HealthState = 'healthy';
  /** A notification goes out with the calls of this turn. */
  #sending = false;
  readonly #system: string;
  readonly #notes: RulesNotes;
  readonly #sent: string[] = [];
  readonly #measured: NotificationDraft[] = [];
  readonly #ids = new Set<string>();
  readonly #computed: unknown[] = [];
  readonly #repeats = new Repeats();

  constructor(
    readonly skill: Skill,
    readonly seat: ModelSeat,
  ) {
    this.#system = systemPrompt(baseQueries(seat));
    this.#notes = new RulesNotes(seat.redactor);
    this.#phase = seat.floor === 'fallback' ? 'model' : 'rules';
  }

  get ruled(): Conclusion | undefined {
    return this.#ruled;
  }

  async next(turn: Turn): Promise<readonly ToolCall[]> {
    this.#remember(turn.answers);
    if (this.#phase === 'fallback') return this.seat.rules.next(turn);
    if (this.#phase === 'rules') {
      const calls = await this.#playRules(turn);
      if (calls) return calls;
      return this.#think({ ...turn, answers: [] });
    }
    return this.#think(turn);
  }

  /** Undefined once the rules have concluded: their conclusion stays here, and the model's turn begins. */
  async #playRules(turn: Turn): Promise<readonly ToolCall[] | undefined> {
    const calls = await this.seat.rules.next({ ...turn, last: false });
    const done = calls.find(call => call.tool === 'done');
    if (!done) return calls;
    this.#ruled = { outcome: done.outcome, summary: done.summary };
    this.#ruledState = turn.state;
    const concluded = this.seat.rulesConcluded?.() ?? Promise.resolve(false);
    const quiet = done.outcome === 'healthy' || done.outcome === 'not-applicable';
    // Silence is worth a second opinion only while nobody knows the cause.
    if (quiet && (!this.seat.urgent || (await concluded))) return calls;
    this.#phase = 'model';
    return undefined;
  }

  async #think(turn: Turn): Promise<readonly ToolCall[]> {
    this.#startedAt ??= this.seat.now();
    if (this.#messages.length === 0) this.#messages.push({ role: 'user', text: this.#opening() });
    this.#hearAnswers(turn.answers);
    this.#turns++;
    const last = turn.last || this.#turns >= MODEL_TURNS || this.#isLate();
    try {
      const reply = await this.#ask(last);
      return last ? [this.#concluded(reply.text)] : await this.#calls(reply);
    } catch (error) {
      if (error instanceof ModelError) return this.#giveUp(error, turn);
      if (this.seat.signal.aborted && this.#ruled) return [{ tool: 'done', ...this.#ruled }];
      throw error;
    }
  }

  get #hasSent(): boolean {
    return this.#sent.length > 0 || this.#sending;
  }

  #isLate(): boolean {
    return this.seat.now() - this.#startedAt! > (this.seat.deadlineMs ?? DEADLINE_MS);
  }

  #opening(): string {
    // Before anything of it is cut: half a secret looks like none.
    const { target, reason } = this.seat.redactor.deep({ target: this.seat.target, reason: this.seat.reason });
    const rules = this.#ruled && this.#notes.report(this.#ruled);
    return firstMessage({ skill: this.skill, target, reason, ...(rules && { rules }) });
  }

  /** Keeps what later turns need: ids to cite, numbers that code computed, what was noticed. */
  #remember(answers: readonly Answered[]): void {
    for (const { call, result } of answers) {
      if (!result.ok) continue;
      const { value } = result;
      if (call.tool === 'execute') this.#computed.push(value);
      if (call.tool === 'send_notification') this.#sent.push(String(value));
      if (hasId(value)) this.#ids.add(value.id);
      if (this.#phase === 'rules') this.#rememberRules(call, value);
    }
  }

  #rememberRules(call: ToolCall, value: unknown): void {
    this.#notes.add(call, value);
    if (call.tool !== 'send_notification') return;
    this.#measured.push(call.notification);
    // Computed by code: a model may repeat it.
    this.#computed.push(call.notification);
  }

  /** Joins what the operator answered with what was refused here, in the order the model asked. */
  #hearAnswers(answers: readonly Answered[]): void {
    if (this.#pending.length === 0) return;
    const left = [...answers];
    const heard = this.#pending.map(({ call, refused }) => {
      const result: ToolResult = refused ? { ok: false, error: refused } : (left.shift()?.result ?? NOT_RUN);
      const said = this.seat.redactor.deep(result.ok ? result.value : result.error);
      const text = fence(asText(said));
      this.#repeats.answered(call, text);
      return { id: call.id, name: call.name, text, ...(!result.ok && { failed: true }) };
    });
    this.#messages.push({ role: 'tool', answers: heard });
    this.#pending = [];
  }

  async #ask(last: boolean): Promise<ModelReply> {
    if (last) this.#messages.push({ role: 'user', text: FORCE });
    const context = Math.max(this.#contextTokens, estimateTokens(this.#messages));
    if (context > COMPACT_ABOVE_TOKENS) this.#compact();
    try {
      return await this.#complete(last);
    } catch (error) {
      if (!(error instanceof ModelError) || error.kind !== 'too-large') throw error;
      this.#compact(2);
      return this.#complete(last);
    }
  }

  #compact(keepLast?: number): void {
    const ids = [...new Set([...this.#ids, ...this.seat.evidence().keys()])];
    this.#messages = compacted(this.#messages, ids, keepLast);
    this.#contextTokens = 0;
  }

  async #complete(last: boolean): Promise<ModelReply> {
    const request = {
      system: this.#system,
      tools: TOOL_SPECS,
      messages: [...this.#messages],
      maxOutputTokens: OUTPUT_TOKENS,
    };
    const reply = await this.#withinTime({ ...request, toolChoice: last ? 'none' : 'auto' });
    const { input, output, cacheRead, cacheWrite } = reply.usage;
    this.#contextTokens = input + output + cacheRead + cacheWrite;
    const calls = reply.raw ? reply.calls : reply.calls.map((call, at) => ({ ...call, id: `t${this.#turns}-${at}` }));
    this.#messages.push({ role: 'assistant', text: reply.text, calls, ...(reply.raw && { raw: reply.raw }) });
    return { ...reply, calls };
  }

  /** A wire that swallows everything would otherwise hold the operator for as long as all retries take. */
  async #withinTime(request: ModelRequest): Promise<ModelReply> {
    const { provider, signal, now, deadlineMs = DEADLINE_MS } = this.seat;
    const left = deadlineMs - (now() - this.#startedAt!);
    const over = AbortSignal.timeout(Math.max(LAST_ANSWER_MS, left));
    try {
      return await provider.complete(request, { signal: AbortSignal.any([signal, over]) });
    } catch (error) {
      if (signal.aborted || !over.aborted) throw error;
      throw new ModelError('timeout', 'The model used up its time.', { cause: error });
    }
  }

  /** An empty list lets the operator come back at once: the model reads why nothing was run. */
  async #calls(reply: ModelReply): Promise<readonly ToolCall[]> {
    if (reply.calls.length === 0) return this.#withoutCalls(reply);
    this.#idle = 0;
    this.#sending = false;
    const judged = this.#untilSaid(reply.calls.map((call, at) => this.#judge(call, at)));
    this.#pending = judged.map(({ call, refused }) => ({ call, ...(refused !== undefined && { refused }) }));
    for (const { call, refused } of judged) if (refused !== undefined) this.#tellRefused(call.name, refused);
    const runs = judged.flatMap(({ run }) => (run ? [run] : []));
    // The operator stops at `done`: what was asked beside it comes first.
    return [...runs.filter(run => run.tool !== 'done'), ...runs.filter(run => run.tool === 'done')];
  }

  /** Whoever ends beside a notification that goes back would never read why. */
  #untilSaid(judged: readonly Judged[]): readonly Judged[] {
    const goesBack = judged.some(({ call, refused }) => call.name === 'send_notification' && refused !== undefined);
    if (!goesBack || this.#heldBack >= CORRECTIONS) return judged;
    this.#heldBack++;
    const refused = 'Not ended: a notification of this turn was not sent. Correct it, or call done alone.';
    return judged.map(one => (one.run?.tool === 'done' ? { call: one.call, refused } : one));
  }

  #tellRefused(name: string, error: string): void {
    const [operator, tool] = [this.skill.id, name.slice(0, 60)];
    this.seat.emit({ type: 'operator.refused', operator, tool, error: error.slice(0, TOLD_CHARS) });
  }

  #withoutCalls(reply: ModelReply): readonly ToolCall[] {
    if (reply.stop === 'refusal' && this.#idle > 0) throw new ModelError('request', 'The model refuses to go on.');
    if (++this.#idle > IDLE_TURNS) return [this.#concluded(reply.text)];
    const text = reply.stop === 'length' ? `Your answer was cut for its length: be brief. ${NUDGE}` : NUDGE;
    this.#messages.push({ role: 'user', text });
    return [];
  }

  #judge(call: ModelCall, at: number): Judged {
    const repeated = this.#repeats.refusalOf(call);
    if (repeated) return { call, refused: repeated };
    if (at >= CALLS_A_TURN) return { call, refused: `At most ${CALLS_A_TURN} calls a turn; ask again.` };
    const parsed = parseCall(
      call,
      queriesFor(this.skill, this.seat).map(query => query.name),
    );
    if ('error' in parsed) return { call, refused: parsed.error };
    if (parsed.call.tool === 'wait') this.#repeats.forget();
    if (parsed.call.tool === 'set_state') return this.#judgeState(call, parsed.call);
    if (parsed.call.tool === 'send_notification') return this.#judgeDraft(call, parsed.call.notification);
    if (parsed.call.tool === 'done') return this.#judgeEnd(call, parsed.call);
    return { call, run: parsed.call };
  }

  /** A state is a claim too: it stands on what was noticed, and what the rules measured can't be called well. */
  #judgeState(call: ModelCall, said: Extract<ToolCall, { tool: 'set_state' }>): Judged {
    const shown = Math.max(this.#loudest, GRAVITY[this.#ruledState]);
    if (GRAVITY[said.state] >= GRAVITY.warning && GRAVITY[said.state] > shown)
      return {
        call,
        refused: `A state of ${said.state} stands on a notification that grave: send_notification first.`,
      };
    if (GRAVITY[said.state] < GRAVITY[this.#ruledState])
      return {
        call,
        refused: `The rules measured a state of ${this.#ruledState}: say in your summary why it is better.`,
      };
    return { call, run: said };
  }

  #judgeDraft(call: ModelCall, draft: NotificationDraft): Judged {
    const checked = this.seat.check?.(draft, this.#computed) ?? { ok: true, problems: [], draft };
    const correctable = checked.problems.length > 0 && this.#corrections < CORRECTIONS;
    if (correctable || !checked.ok) {
      this.#corrections++;
      return { call, refused: `Not sent: ${checked.problems.join(' ')} Correct it and send it again.` };
    }
    const ruled = this.#ruled && { ...this.#ruled, state: this.#ruledState };
    const notification = weighed(checked.draft, ruled, this.#measured);
    this.#sending = true;
    this.#loudest = Math.max(this.#loudest, 1 + SEVERITIES.indexOf(notification.severity));
    return { call, run: { tool: 'send_notification', notification } };
  }

  #judgeEnd(call: ModelCall, done: Extract<ToolCall, { tool: 'done' }>): Judged {
    if (done.outcome === 'found' && !this.#hasSent && this.#corrections < CORRECTIONS) {
      this.#corrections++;
      return { call, refused: 'You found something, but no notification was sent: send_notification first.' };
    }
    const wanting = this.seat.checkWords?.(done.summary, this.#computed) ?? [];
    if (wanting.length > 0 && this.#corrections < CORRECTIONS) {
      this.#corrections++;
      return { call, refused: `${wanting.join(' ')} Correct the summary and call done again.` };
    }
    return { call, run: this.#ending(done.outcome, done.summary) };
  }

  /** From the words of a turn without tools. */
  #concluded(words: string): ToolCall {
    const [, named, rest] = /^\W*(healthy|found|not-applicable|inconclusive)\b\W*([\s\S]*)$/i.exec(words) ?? [];
    const said = (rest ?? words).trim().slice(0, SUMMARY_CHARS);
    if (!said && this.#ruled) return { tool: 'done', ...this.#ruled };
    // The expression admits only these four.
    const outcome = (named?.toLowerCase() as Outcome | undefined) ?? 'inconclusive';
    return this.#ending(outcome, said || 'The model ended without a word.');
  }

  /** "Found" needs a notification; and where the rules saw it otherwise, the summary says both. */
  #ending(said: Outcome, summary: string): ToolCall {
    const { outcome: ruled, summary: rules } = this.#ruled ?? {};
    // "Found" without anything sent is a claim that nothing supports: it is not repeated.
    if (said === 'found' && !this.#hasSent && this.#ruled) return { tool: 'done', ...this.#ruled };
    const outcome = this.#hasSent ? 'found' : withoutFinding(said, ruled);
    const wanting = this.seat.checkWords?.(summary, this.#computed) ?? [];
    const doubts = wanting.length > 0 ? ` (Checked by code: ${wanting.join(' ')})` : '';
    const differs = ruled !== undefined && ruled !== said;
    const dissent = differs ? ` (The rules say ${ruled}: ${rules})` : '';
    return { tool: 'done', outcome, summary: summary + doubts + dissent };
  }

  /** The model failed for good: the rules finish, and the report says so. */
  async #giveUp(error: ModelError, turn: Turn): Promise<readonly ToolCall[]> {
    const where = `model of operator ${this.skill.id}`;
    this.seat.emit({ type: 'failure', failure: { where, message: `${error.message} The rules conclude instead.` } });
    this.#pending = [];
    if (this.#ruled) return [{ tool: 'done', ...this.#ruled }];
    this.#phase = 'fallback';
    return this.seat.rules.next({ ...turn, answers: [] });
  }
}

/** Without a notification nothing was found; and what rules could not see, words alone don't make healthy. */
function withoutFinding(said: Outcome, ruled: Outcome | undefined): Outcome {
  if (said === 'found') return 'inconclusive';
  return ruled === 'inconclusive' ? ruled : said;
}

const GRAVITY: { readonly [S in HealthState]: number } = { healthy: 0, observing: 1, warning: 2, critical: 3 };
const NOT_RUN: ToolResult = { ok: false, error: 'Not run.' };
const TOLD_CHARS = 500;
const SUMMARY_CHARS = 600;
