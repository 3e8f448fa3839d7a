import type { Key, Pressed } from './keys.js';
import { motionOf, moved } from './motion.js';
import type { Overlay, Ui } from './ui.js';
import type { World } from './world.js';

/** Rows that a page key skips. */
const PAGE = 10;

type SkillChoice = Extract<Overlay, { kind: 'skills' }>;

/** From the first question to the report. */
export const underWay = ({ run }: World): boolean => run.startedAt > 0 && run.report === undefined;

/** Space takes or leaves the skill under the cursor; enter sends those that are taken. */
export function choosing(ui: Ui, overlay: SkillChoice, key: Key, { skills = [] }: World): Pressed {
  const next = (change: Partial<SkillChoice>): Pressed => ({ ui: { ...ui, overlay: { ...overlay, ...change } } });
  const motion = motionOf(key, PAGE);
  const ids = skills.map(skill => skill.id);
  if (motion) return next({ index: moved(overlay.index, motion, ids.length) });
  if (key.input === ' ') return next({ chosen: takenOrLeft(overlay, ids) });
  if (key.input === 'a') return next({ chosen: ids });
  if (key.input === 'n') return next({ chosen: [] });
  if (key.name !== 'return') return { ui: { ...ui, overlay: { kind: 'none' } } };
  return overlay.chosen.length > 0
    ? { ui: { ...ui, overlay: { kind: 'none' } }, command: { do: 'look', skills: overlay.chosen } }
    : { ui: { ...ui, overlay: { kind: 'none' }, notice: 'Nobody was chosen: nothing begins.' } };
}

function takenOrLeft({ chosen, index }: SkillChoice, ids: readonly string[]): readonly string[] {
  return ids.filter((id, i) => (i === index ? !chosen.includes(id) : chosen.includes(id)));
}

/** At first those that look now; before anybody does, all. */
export function openSkills(ui: Ui, { skills = [], run }: World): Pressed {
  const looking = run.operators.map(operator => operator.id);
  const chosen = looking.length > 0 ? looking : skills.map(skill => skill.id);
  return { ui: { ...ui, overlay: { kind: 'skills', index: 0, chosen } } };
}
