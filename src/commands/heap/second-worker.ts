import { closeSync, openSync, readSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import {
  type Aggregates,
  Arena,
  BesideAnalysis,
  type BesideDominators,
  type EdgePart,
  openFile,
  readFromFront,
  Strings,
  type Tables,
} from '../../heap/index.js';
import type { EdgesRequest, SecondRequest, SecondStart } from './second-thread.js';

const { port, answered } = workerData as SecondStart; // given by SecondCore

let analysis: BesideAnalysis | undefined;

port.on('message', (request: SecondRequest) => {
  port.postMessage(answerTo(request));
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
});

type Answer = EdgePart | Map<number, number> | BesideDominators | Aggregates | Tables;

/** Whatever goes wrong here goes wrong again in the first thread, which knows how to say it. */
function answerTo(request: SecondRequest): Answer | undefined {
  try {
    if (request.kind === 'edges') return edgesOf(request.request);
    if (request.kind === 'beside') return analysis?.result();
    if (request.kind === 'sums') return analysis?.sums(request.request);
    if (request.kind === 'tables') return analysis?.tables();
    const { file, facts, distances } = request;
    const own = { ...file, strings: Strings.arrived(file.strings), arena: new Arena(file.arena) };
    openFile(own);
    analysis = new BesideAnalysis(own, facts, distances);
    return analysis.wideSizes;
  } catch {
    return undefined;
  }
}

function edgesOf({ path, ...shared }: EdgesRequest): EdgePart | undefined {
  const descriptor = openSync(path, 'r');
  try {
    return readFromFront(shared, (chunk, offset) => readSync(descriptor, chunk, 0, chunk.length, offset));
  } finally {
    closeSync(descriptor);
  }
}
