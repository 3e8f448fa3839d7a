import type { Skill } from '../model/skill.js';
import { async } from './async.js';
import { cpu } from './cpu.js';
import { eventLoop } from './event-loop.js';
import { handles } from './handles.js';
import { heap } from './heap.js';
import { runtime } from './runtime.js';
import { vmEvents } from './vm-events.js';

/** Every skill lens has, in the order a report lists them. Adding one: one file, one line here. */
export const skills: readonly Skill[] = [runtime, eventLoop, cpu, heap, async, handles, vmEvents];
