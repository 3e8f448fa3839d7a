import { type Bounds, boundsOf } from '../heap/growth/bounds.js';
import type { Suspect } from '../heap/growth/suspects.js';
import type { OperatorView, Step } from '../model/skill.js';
import { classAround } from '../source/declarations.js';
import { replacementsOf } from '../source/emptying.js';
import { handedTo, receiversOf } from '../source/handed.js';
import { cutOf, linksOf } from '../source/links.js';
import { wholesOf } from './growth-bounds.js';
import { type Files, type Home, MOST_SCRIPTS } from './growth-home.js';
import { sourceOf } from './place.js';

/** `keepLast(list, 80)`: another function, perhaps of another file, that checks the size and takes out what is too much. */
export async function* trimmedElsewhere(see: OperatorView, home: Home, files: Files): Step<Bounds> {
  const { script, name, below, spot } = home;
  const trimmers = handedTo(script.text, below.at(-1) ?? name);
  if (trimmers.length === 0) return {};
  const ids = [...new Set([spot.scriptId, ...files.slice(0, MOST_SCRIPTS).map(one => one.scriptId)])];
  for (const id of ids) {
    const other = yield* sourceOf(see, id, ids);
    for (const trimmer of other ? trimmers : [])
      for (const { text, parameter } of receiversOf(other?.text ?? '', trimmer)) {
        const { sizeCheck, removal } = boundsOf(text, parameter);
        // The limit is most often an argument: that there is one and that it is kept to is enough.
        if (sizeCheck && removal) return { sizeCheck: { line0: sizeCheck.line0 }, removal };
      }
  }
  return {};
}

/** `window = new Window(now)`: what holds it begins anew, and it goes with the old one. */
export async function* replacedWith(see: OperatorView, { holder }: Suspect, home: Home): Step<Bounds> {
  const own = holder.below.at(-1);
  const { variable } = holder;
  const script = own !== undefined && variable && (yield* sourceOf(see, variable.seenBy.scriptId));
  if (!script) return {};
  const holders = [variable.name, ...holder.below.slice(0, -1)];
  const [emptied] = wholesOf(holders.flatMap(name => replacementsOf(script.text, name, own, home.script.text)));
  return emptied ? { emptied } : {};
}

/** The links of a chain are cut somewhere in the application: how many stay is for that code to say. */
export async function* cutSomewhere(see: OperatorView, { row }: Suspect, files: Files): Step<Bounds> {
  const link = row.kind === 'chain' ? row.path.at(-1) : undefined;
  const owner = /^\w+/.exec(row.entry.text)?.[0];
  if (link?.kind !== 'property' || owner === undefined) return {};
  const ids = files.slice(0, MOST_SCRIPTS).map(one => one.scriptId);
  for (const id of ids) {
    const script = yield* sourceOf(see, id, ids);
    const isLinked = script && linksOf(script.text, link.name, owner).length > 0;
    const cut = isLinked ? cutOf(script.text, link.name) : undefined;
    if (cut) return { removal: { line0: cut.line0 }, sizeCheck: { line0: cut.line0 } };
  }
  return {};
}

/** `class Bounded extends Map`: its own methods see to its size. */
export async function* boundsOfClass(see: OperatorView, { row }: Suspect): Step<Bounds> {
  const { classCode } = row;
  const script = classCode && (yield* sourceOf(see, classCode.scriptId));
  const text = script && classAround(script.text, { line0: classCode.line, column0: classCode.column });
  if (text === undefined) return {};
  const { sizeCheck, removal } = boundsOf(text.replaceAll('super.', 'this.'), 'this');
  return sizeCheck && removal ? { sizeCheck: { ...sizeCheck, line0: classCode?.line ?? 0 }, removal } : {};
}
