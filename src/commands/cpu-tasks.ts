import { sayMs } from '../base/say.js';
import { blame } from '../cpu/blame.js';
import { type Stall, stalls } from '../cpu/stalls.js';
import { type CallTree, type Frame, frameName } from '../cpu/tree.js';
import { isWork, weigh } from '../cpu/weights.js';

/** A stretch in which the event loop could not turn, with the calls that most of it went through, innermost first. */
export interface LongTask {
  readonly atMs: number;
  readonly ms: number;
  readonly gcMs: number;
  readonly stack: readonly { readonly function: string; readonly where: string }[];
}

/** What users notice; the same as of the event-loop skill. */
const LONG_MS = 40;
/** Stacks are told of the longest: each takes a pass over all samples. */
const WITH_STACK = 50;
const SHOWN_TASKS = 5;
const SHOWN_FRAMES = 8;

/** Every task of 40 ms and longer, in the order of time, the longest with their stacks. `where` tells a frame's place. */
export function longTasks(tree: CallTree, where: (frame: Frame) => string): LongTask[] {
  const found = stalls(tree, LONG_MS * 1000);
  const longest = new Set(found.toSorted((a, b) => b.durationUs - a.durationUs).slice(0, WITH_STACK));
  return found.map(stall => {
    const path = longest.has(stall) ? pathOf(tree, stall) : [];
    const stack = path.map(frame => ({ function: frameName(frame), where: where(frame) }));
    return { atMs: ms(stall.atUs), ms: ms(stall.durationUs), gcMs: ms(stall.gcUs), stack };
  });
}

function pathOf(tree: CallTree, { from, to }: Stall): Frame[] {
  const weights = weigh(tree, at => at >= from && at < to && isWork(tree, tree.sampleNode[at]!));
  return (blame(tree, weights)?.path ?? []).filter(({ kind }) => kind !== 'root').toReversed();
}

const ms = (us: number): number => Math.round(us / 100) / 10;

/** The longest of them, each with its stack. */
export function longTasksText(tasks: readonly LongTask[]): string {
  if (tasks.length === 0) return `No task of ${LONG_MS} ms or longer.\n`;
  const longest = tasks.toSorted((a, b) => b.ms - a.ms).slice(0, SHOWN_TASKS);
  const rest = tasks.length - longest.length;
  const head = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} of ${LONG_MS} ms or longer${rest > 0 ? `, the longest ${longest.length}` : ''}:\n`;
  return head + longest.map(taskText).join('');
}

function taskText({ atMs, ms: length, gcMs, stack }: LongTask): string {
  const gc = gcMs > 0 ? `, ${sayMs(gcMs)} of it collections` : '';
  const frames = stack.slice(0, SHOWN_FRAMES).map(frame => `    ${frame.function} ${frame.where}`.trimEnd());
  if (stack.length > SHOWN_FRAMES) frames.push(`    … ${stack.length - SHOWN_FRAMES} more`);
  return [`  ${sayMs(length)} at ${sayMs(atMs)}${gc}`, ...frames, ''].join('\n');
}
