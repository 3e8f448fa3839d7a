import type { Skill } from '../model/skill.js';
import { runtime } from './runtime.js';

/** Every skill lens has, in the order a report lists them. Adding one: one file, one line here. */
export const skills: readonly Skill[] = [runtime];
