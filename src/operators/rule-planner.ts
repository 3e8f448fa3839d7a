import type { Evidence, EvidenceData, EvidenceKind, EvidenceParams } from '../model/evidence/index.js';
import type { Notification, NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Skill, Step, ToolCall, ToolResult } from '../model/skill.js';
import type { Snapshot } from '../model/snapshot.js';
import type { TargetInfo } from '../model/target.js';
import type { Answered, Planner, Turn } from './operator.js';

/** A playbook is finite by construction; this only stops one that loops. Far above the longest, about 60 calls. */
const MAX_CALLS = 400;

export interface RuleSeat {
  readonly target: TargetInfo;
  readonly reason: string;
  readonly urgent: boolean;
  readonly evidenceIds: () => readonly string[];
}

/** Plays a skill's playbook: each `yield` is one call of the operator's loop, its answer the value of the `yield`. */
export function rulePlanner(skill: Skill, seat: RuleSeat): Planner {
  let play: AsyncGenerator<ToolCall, Conclusion, ToolResult> | undefined;
  return {
    kind: 'rules',
    maxTurns: MAX_CALLS,
    async next(turn: Turn): Promise<readonly ToolCall[]> {
      const step = await advance();
      if (!step.done) return [step.value];
      return [{ tool: 'done', ...step.value }];

      async function advance(): Promise<IteratorResult<ToolCall, Conclusion>> {
        if (!play) {
          play = skill.playbook(view(seat));
          return play.next();
        }
        return play.next(lastAnswer(turn.answers));
      }
    },
  };
}

function lastAnswer(answers: readonly Answered[]): ToolResult {
  return answers.at(-1)?.result ?? { ok: false, error: 'The call was not run.' };
}

function view(seat: RuleSeat): OperatorView {
  return {
    target: seat.target,
    reason: seat.reason,
    urgent: seat.urgent,
    get evidenceIds() {
      return seat.evidenceIds();
    },
    async *ask<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, freshMs?: number) {
      const call: ToolCall = {
        tool: 'ask',
        kind,
        params: params as object,
        ...(freshMs === undefined ? {} : { freshMs }),
      };
      return (yield* value(call)) as Evidence<EvidenceData<K>>;
    },
    async *begin<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, freshMs?: number) {
      const fresh = freshMs === undefined ? {} : { freshMs };
      yield* value({ tool: 'ask', kind, params: params as object, ...fresh, ahead: true });
    },
    async *snapshot() {
      return (yield* value({ tool: 'take_snapshot' })) as Snapshot | undefined;
    },
    async *notify(notification: NotificationDraft) {
      return (yield* value({ tool: 'send_notification', notification })) as string;
    },
    async *setState(state, reason) {
      yield* value({ tool: 'set_state', state, reason });
    },
    async *think(thought: string) {
      yield* value({ tool: 'think', thought });
    },
    async *wait(ms: number) {
      yield* value({ tool: 'wait', ms });
    },
    async *notifications() {
      const all = (yield* value({ tool: 'get_notifications' })) as readonly Notification[];
      return all.map(draft => ({ operator: draft.operator, draft }));
    },
  };
}

/** A refused call is a mistake in the playbook, not in the target's world: it ends this operator, not the run. */
async function* value(call: ToolCall): Step<unknown> {
  const result = yield call;
  if (!result.ok) throw new Error(`${call.tool}: ${result.error}`);
  return result.value;
}
