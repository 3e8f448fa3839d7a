import type { Exceptions, ThrowSite } from '../model/evidence/exceptions.js';
import type { CreatorFrame } from '../model/evidence/handles.js';
import type { CodeLocation } from '../model/location.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { ownFrames } from './bundle.js';
import { place } from './place.js';

/** A notification before it knows what it stands on. */
export type Draft = Omit<NotificationDraft, 'evidenceIds'>;

/** What every notification about throws says beside its cause. */
export const common = (site: ThrowSite, data: Exceptions) => ({
  severity: 'warning' as const,
  context: `${data.uncaught.count} uncaught exceptions and ${data.rejections.listening ? `${data.rejections.count} unhandled rejections` : 'no listener for rejections'} in ${round(data.seconds)} s; ${site.frames.length} frames of the program on the stack.`,
});

/** The application's innermost frame, with who called it. */
export async function* throwerOf(see: OperatorView, { frames }: ThrowSite): Step<CodeLocation | undefined> {
  const users = yield* ownFrames(see, frames);
  const spot = users[0] ?? frames[0];
  if (spot === undefined) return undefined;
  const via = users.slice(1, 5).reverse().map(sayFrame);
  return yield* place(see, spot, via.length > 0 ? { via } : {});
}

/** `TypeError: audit <n>` as code, cut where it grows long. */
export const say = ({ type, message }: ThrowSite): string => `\`${type}${message ? `: ${message.slice(0, 80)}` : ''}\``;

const sayFrame = ({ functionName, url, line }: CreatorFrame): string =>
  `${functionName || '(anonymous)'} (${url.replace(/^.*[\\/]/, '')}:${line + 1})`;

/** `` `sign` (src/signature.js:4) ``. */
export const sayPlace = ({ function: name, file, line }: CodeLocation): string =>
  name ? `\`${name}\` (${file}:${line})` : `${file}:${line}`;

export const metric = (name: string, value: number, unit: string): Metric => ({ name, value, unit });
export const window = ({ seconds }: Exceptions): Metric => metric('window', round(seconds), 's');
export const round = (value: number): number => Math.round(value * 100) / 100;
