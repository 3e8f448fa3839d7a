import { Line, Location, Function as PprofFunction, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import { filePath } from '../base/script-url.js';
import { type CallTree, type Frame, frameAt, frameName, pathTo } from './tree.js';
import { weigh } from './weights.js';

/** Everything but idle: what a flame graph shows. */
const shown = (tree: CallTree) => weigh(tree, at => frameAt(tree, tree.sampleNode[at]!).kind !== 'idle');

const label = (frame: Frame): string =>
  frame.url === '' ? frameName(frame) : `${frameName(frame)} ${filePath(frame.url)}:${frame.line + 1}`;

/** Folded stacks: `outer;inner 1234`, one line a stack, in microseconds. */
export function toFolded(tree: CallTree): string {
  const sums = new Map<string, number>();
  const { selfUs } = shown(tree);
  for (let node = 0; node < tree.nodeCount; node++) {
    if (!selfUs[node]) continue;
    const stack = pathTo(tree, node)
      .map(at => label(frameAt(tree, at)).replaceAll(';', ':'))
      .join(';');
    sums.set(stack, (sums.get(stack) ?? 0) + selfUs[node]!);
  }
  return [...sums].map(([stack, us]) => `${stack} ${Math.round(us)}\n`).join('');
}

/** A file of speedscope.app: every sample in its order, idle included. */
export function toSpeedscope(tree: CallTree, name: string): object {
  const frames = tree.frames.map(frame => ({
    name: frameName(frame),
    ...(frame.url === '' ? {} : { file: filePath(frame.url), line: frame.line + 1, col: frame.column + 1 }),
  }));
  const stacks = Array.from({ length: tree.nodeCount }, (_, node) => pathTo(tree, node).map(at => tree.frameOf[at]!));
  const samples = Array.from(tree.sampleNode, node => stacks[node]!);
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter: 'lens',
    shared: { frames },
    profiles: [
      {
        type: 'sampled',
        name,
        unit: 'microseconds',
        startValue: 0,
        endValue: tree.durationUs,
        samples,
        weights: [...tree.sampleUs],
      },
    ],
  };
}

/** pprof's protobuf, not yet compressed: cpu nanoseconds by stack, innermost function first as pprof wants it. */
export function toPprof(tree: CallTree): Uint8Array {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  const functions = tree.frames.map((frame, at) => {
    const name = text(frameName(frame));
    return new PprofFunction({
      id: at + 1,
      name,
      systemName: name,
      filename: text(filePath(frame.url)),
      startLine: frame.line + 1,
    });
  });
  const { selfUs } = shown(tree);
  const nodes = [...selfUs.keys()].filter(node => selfUs[node]! > 0);
  const cpu = new ValueType({ type: text('cpu'), unit: text('nanoseconds') });
  return new Profile({
    sampleType: [cpu],
    periodType: cpu,
    sample: nodes.map(node => sampleOf(tree, node, selfUs[node]!)),
    location: tree.frames.map(
      (frame, at) => new Location({ id: at + 1, line: [new Line({ functionId: at + 1, line: frame.line + 1 })] }),
    ),
    function: functions,
    stringTable: strings,
    durationNanos: Math.round(tree.durationUs * 1000),
  }).encode();
}

function sampleOf(tree: CallTree, node: number, us: number): Sample {
  const locationId = pathTo(tree, node)
    .reverse()
    .map(at => tree.frameOf[at]! + 1);
  return new Sample({ locationId, value: [Math.round(us * 1000)] });
}
