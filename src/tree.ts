import { displayPath } from './base/script-url.js';
import type { AttachTarget } from './inspector/attach.js';
import { type NodeProcess, nodeDescendants, readNodeProcess } from './inspector/node-processes.js';
import { LensError } from './model/error.js';
import type { Emit, EventBody } from './model/event.js';
import type { Insight } from './model/insight.js';
import type { Notification } from './model/notification.js';
import type { Report } from './model/report.js';
import { initialState, type RunState, reduce } from './report/state.js';
import { finish, investigate, type Plan, type RunEnv } from './run.js';

/** Each costs as long as the first: the processes beyond are named, not looked at. */
const MAX_CHILDREN = 6;
/** Of processes that run the same program: the busiest and the largest. */
const MAX_ALIKE = 2;
const SEVERITIES = ['critical', 'warning', 'info'];
const CONFIDENCES = ['high', 'medium', 'low'];

/**
 * The named process, then the Node processes below it, one after another: children, cluster workers, theirs too. One
 * run and one report; what a child shows carries its pid. Children are judged by rules alone.
 */
export async function investigateTree(where: AttachTarget, plan: Plan, env: RunEnv): Promise<Report> {
  const insights: Insight[] = [];
  const keep: Emit = event => {
    if (event.type === 'insight.produced') insights.push(event.insight);
    else if (event.type !== 'run.finished') env.emit(event);
  };
  await investigate(where, plan, { ...env, emit: keep });
  const root = env.state().target;
  const children = root && !env.interrupt.aborted ? await descendants(root.pid) : [];
  const chosen = worthALook(children);
  for (const child of chosen) {
    if (env.interrupt.aborted) break;
    insights.push(...(await investigateChild(child, plan, env)));
  }
  for (const child of children.filter(each => !chosen.includes(each))) tellUnseen(child, env);
  for (const insight of ranked(insights)) env.emit({ type: 'insight.produced', insight });
  return finish(env);
}

/** lens is below nobody that it looks at, unless a program runs it on its own parent. */
const descendants = async (pid: number): Promise<NodeProcess[]> =>
  (await nodeDescendants(pid)).filter(each => each.pid !== process.pid);

/**
 * The named process alone. A person often names npm or a supervisor: Node processes below it that do more than it does
 * are told, with how to look at them.
 */
export async function investigateAlone(where: AttachTarget, plan: Plan, env: RunEnv): Promise<Report> {
  const emit: Emit = event => {
    if (event.type !== 'run.finished') env.emit(event);
  };
  const report = await investigate(where, plan, { ...env, emit });
  const busier = env.interrupt.aborted ? [] : await busierBelow(report.target.pid);
  for (const { pid, command } of busier.slice(0, MOST_TOLD)) {
    const next = `\`lens run --pid ${pid}\`, or --tree for all`;
    env.emit({ type: 'left.out', what: `${sayChild(pid, command)} does or holds more than this process: ${next}` });
  }
  return finish(env);
}

/** Below a twentieth of a core a child is idle, whatever its parent does. */
const BUSY_PERCENT = 5;
/** Two Node processes that do nothing differ by a few megabytes. */
const LARGER = 1.5;
const MOST_TOLD = 3;

async function busierBelow(pid: number): Promise<NodeProcess[]> {
  const [own, below] = await Promise.all([readNodeProcess(pid), descendants(pid)]);
  const isBusier = ({ cpuPercent }: NodeProcess) => cpuPercent > BUSY_PERCENT && cpuPercent > (own?.cpuPercent ?? 0);
  const isLarger = ({ rssBytes }: NodeProcess) => own !== undefined && rssBytes > LARGER * own.rssBytes;
  return below
    .filter(child => isBusier(child) || isLarger(child))
    .sort((a, b) => b.cpuPercent - a.cpuPercent || b.rssBytes - a.rssBytes);
}

function worthALook(children: readonly NodeProcess[]): NodeProcess[] {
  const byProgram = new Map<string, NodeProcess[]>();
  for (const child of children.filter(({ mayAttach }) => mayAttach))
    byProgram.set(child.command, [...(byProgram.get(child.command) ?? []), child]);
  const chosen = [...byProgram.values()].flatMap(alike => {
    const busiest = [...alike].sort((a, b) => b.cpuPercent - a.cpuPercent);
    const largest = [...alike].sort((a, b) => b.rssBytes - a.rssBytes).filter(each => each !== busiest[0]);
    return [...busiest.slice(0, 1), ...largest.slice(0, MAX_ALIKE - 1)];
  });
  return chosen.slice(0, MAX_CHILDREN);
}

function tellUnseen({ pid, command, mayAttach, whyNot }: NodeProcess, env: RunEnv): void {
  const why = mayAttach ? 'others that run the same program were looked at' : (whyNot ?? 'lens may not attach');
  env.emit({ type: 'left.out', what: `${sayChild(pid, command)}: ${why}` });
}

const sayChild = (pid: number, command: string): string => `child process ${pid} (${shortened(command)})`;
const shortened = (command: string): string => command.replace(/^\S*\//, '').slice(0, 60);

/** A run of its own, whose readings and findings go into the one report. */
async function investigateChild({ pid, command, cwd }: NodeProcess, plan: Plan, env: RunEnv): Promise<Insight[]> {
  let state: RunState = initialState;
  const said = sayChild(pid, command);
  const emit: Emit = body => {
    state = reduce(state, { at: env.now(), runId: '', traceId: env.traceId, ...body });
    if (body.type === 'target.attached') env.learn?.(pid);
    const told = retold(body, pid, said);
    if (told) env.emit(told);
  };
  const { mind: _, onProbe: __, ...own } = env;
  try {
    await investigate({ pid }, { ...plan, saveHeapSnapshot: false }, { ...own, emit, state: () => state });
  } catch (error) {
    const message = error instanceof LensError ? error.message : String(error);
    env.emit({ type: 'left.out', what: `${said}: ${message}` });
  }
  const from = env.state().target?.cwd ?? '';
  return state.insights.map(insight => ofChild(insight, pid, said, { own: cwd ?? '', root: from }));
}

/** A child's event as an event of the whole run; undefined for what belongs to its own run alone. */
function retold(event: EventBody, pid: number, said: string): EventBody | undefined {
  const name = (operator: string): string => `${operator}@${pid}`;
  switch (event.type) {
    case 'operator.started':
    case 'operator.called':
    case 'operator.state':
    case 'operator.refused':
      return { ...event, operator: name(event.operator) };
    case 'operator.finished':
      return { ...event, result: { ...event.result, skill: name(event.result.skill) } };
    case 'notification.raised':
      return { ...event, notification: notificationOf(event.notification, pid, said) };
    case 'failure':
      return { ...event, failure: { ...event.failure, where: `${said}: ${event.failure.where}` } };
    case 'target.lost':
      return { type: 'failure', failure: { where: said, message: event.reason } };
    case 'target.detached':
      return event.detached.residue.length === 0
        ? undefined
        : { type: 'failure', failure: { where: said, message: event.detached.residue.join(' ') } };
    case 'evidence.asked':
    case 'evidence.collected':
    case 'snapshot.taken':
    case 'model.called':
    case 'artifact.saved':
      return event;
    default:
      return undefined;
  }
}

function notificationOf(notification: Notification, pid: number, said: string): Notification {
  const { operator, context, title } = notification;
  return {
    ...notification,
    operator: `${operator}@${pid}`,
    context: `In ${said}. ${context}`,
    ...(title === undefined ? {} : { title: `pid ${pid}: ${title}` }),
  };
}

interface Folders {
  readonly own: string;
  readonly root: string;
}

/** Named by its pid; its file as seen from the first process' folder. */
function ofChild(insight: Insight, pid: number, said: string, { own, root }: Folders): Insight {
  const { culprit, title, summary } = insight;
  const absolute = culprit && own !== '' && !/^(?:\/|[a-z-]+:)/i.test(culprit.file) ? `${own}/${culprit.file}` : '';
  return {
    ...insight,
    title: `pid ${pid}: ${title}`,
    summary: `In ${said}. ${summary}`,
    ...(culprit && {
      culprit: { ...culprit, file: absolute === '' ? culprit.file : displayPath(absolute, root) },
    }),
  };
}

/** Worst and surest first; the same fault at the same place in several processes is one insight. */
function ranked(insights: readonly Insight[]): Insight[] {
  const distinct = new Map<string, Insight>();
  for (const insight of insights) {
    const { faultClass, culprit } = insight;
    const key = culprit ? `${faultClass} ${culprit.file}:${culprit.line}` : insight.id;
    const first = distinct.get(key);
    distinct.set(key, first ? joined(first, insight) : insight);
  }
  const order = (list: readonly string[], value: string): number => list.indexOf(value);
  return [...distinct.values()]
    .sort(
      (a, b) =>
        order(SEVERITIES, a.severity) - order(SEVERITIES, b.severity) ||
        a.rank - b.rank ||
        order(CONFIDENCES, a.confidence) - order(CONFIDENCES, b.confidence),
    )
    .map((insight, at) => ({ ...insight, rank: at + 1 }));
}

const joined = (first: Insight, again: Insight): Insight => ({
  ...first,
  summary: `${first.summary} The same in ${/^pid \d+/.exec(again.title)?.[0] ?? 'another process'}.`,
  notificationIds: [...first.notificationIds, ...again.notificationIds],
  evidenceIds: [...first.evidenceIds, ...again.evidenceIds],
});
