import type { V8CallFrame } from './v8-cpu-profile.js';

export interface HeapSamplingParams {
  readonly seconds: number;
  readonly intervalBytes: number;
}

export interface V8SamplingNode {
  readonly callFrame: V8CallFrame;
  readonly selfSize: number;
  readonly id: number;
  readonly children: readonly V8SamplingNode[];
}

/** Allocations of the window that survived a full collection at its end. */
export interface HeapSampling {
  readonly seconds: number;
  readonly intervalBytes: number;
  readonly head: V8SamplingNode;
  readonly survivedBytes: number;
}
