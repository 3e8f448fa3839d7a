import type { Skill } from '../model/skill.js';
import { allocator } from './allocator.js';
import { anomaly } from './anomaly.js';
import { async } from './async.js';
import { collections } from './collections.js';
import { cpu } from './cpu.js';
import { database } from './database.js';
import { eventLoop } from './event-loop.js';
import { exceptions } from './exceptions.js';
import { gc } from './gc.js';
import { handles } from './handles.js';
import { heap } from './heap.js';
import { http } from './http.js';
import { logs } from './logs.js';
import { network } from './network.js';
import { overload } from './overload.js';
import { runtime } from './runtime.js';
import { system } from './system.js';
import { threadpool } from './threadpool.js';
import { tracer } from './tracer.js';
import { vmEvents } from './vm-events.js';
import { workers } from './workers.js';

/** Every skill lens has, in the order a report lists them. Adding one: one file, one line here. */
export const skills: readonly Skill[] = [
  runtime,
  eventLoop,
  cpu,
  heap,
  collections,
  allocator,
  gc,
  async,
  threadpool,
  http,
  database,
  network,
  overload,
  handles,
  logs,
  exceptions,
  workers,
  vmEvents,
  tracer,
  system,
  anomaly,
];
