import type { ScriptPosition } from '../location.js';
import type { V8CpuProfile } from './v8-cpu-profile.js';

export interface CpuProfileParams {
  readonly seconds: number;
  /** Sampling interval in microseconds: 1000 or 2000. */
  readonly intervalUs: number;
  /** Functions whose optimized code V8 is made to drop first: compiled anew under the profiler, it names what it inlines. */
  readonly compileAnew?: readonly ScriptPosition[];
  /** Not taken at all once the run knows a cause. */
  readonly unlessKnown?: boolean;
}

export interface CpuProfile {
  readonly seconds: number;
  readonly intervalUs: number;
  readonly profile: V8CpuProfile;
  /** Pause of Profiler.start, which logs every function of the heap. */
  readonly startPauseMs: number;
  /** Loop delay within the window, reset after the profiler's start. */
  readonly maxLoopDelayMs?: number;
  /** Process cpu over the window, in percent of one core. */
  readonly cpuPercent?: number;
}
