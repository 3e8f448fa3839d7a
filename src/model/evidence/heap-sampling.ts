import type { V8CallFrame } from './v8-cpu-profile.js';

export interface HeapSamplingParams {
  readonly seconds: number;
  readonly intervalBytes: number;
  /** Also what was collected again: who keeps the collector busy. Default: survivors only. */
  readonly all?: boolean;
}

/** One call tree node; `selfSize` in bytes, scaled from the samples by V8. */
export interface V8SamplingNode {
  readonly callFrame: V8CallFrame;
  readonly selfSize: number;
  readonly id: number;
  readonly children: readonly V8SamplingNode[];
}

/** Allocations of the window that survived a full collection at its end (or all of them), lens' own left out. */
export interface HeapSampling {
  readonly seconds: number;
  readonly intervalBytes: number;
  readonly head: V8SamplingNode;
  /** Sum over the tree. */
  readonly bytes: number;
  readonly includesCollected: boolean;
}
