import { lastUserAbove } from '../cpu/blame.js';
import { type CallTree, callTree, frameAt } from '../cpu/tree.js';
import { weigh } from '../cpu/weights.js';
import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callSites } from '../source/calls.js';
import { enclosingFunction } from '../source/names.js';
import { ScriptText } from '../source/script.js';
import { locate } from './place.js';
import { PROFILE } from './study.js';
import { placeOfSite } from './survivors.js';

/** Who has memory made that V8 doesn't manage, and by what. */
export interface NativePlace {
  readonly by: 'wasm' | 'object-url';
  readonly culprit: CodeLocation;
  readonly evidenceId: string;
}

const SCRIPTS_STAY_MS = 60_000;
const PROFILE_STAYS_MS = 60_000;
/** Of all work, what WebAssembly takes where its memory grows fast. */
const WASM_SHARE = 0.05;

/** A url for a Blob keeps the Blob until it is revoked: an application that makes some and never revokes one. */
export async function* unrevoked(see: OperatorView): Step<NativePlace | undefined> {
  const reading = yield* see.ask('scripts', {}, SCRIPTS_STAY_MS);
  if (!isUsable(reading)) return undefined;
  const calls = reading.data.scripts.flatMap(source =>
    callSites(source.text)
      .filter(({ method }) => method === 'createObjectURL' || method === 'revokeObjectURL')
      .map(site => ({ source, site })),
  );
  const [made] = calls;
  if (!made || calls.some(({ site }) => site.method === 'revokeObjectURL')) return undefined;
  const { source, site } = made;
  const around = enclosingFunction(source.text, site.line0, site.column0)?.name;
  const spot = { scriptId: source.scriptId, url: source.url, line: site.line0, column: site.column0 };
  const named = around === undefined ? spot : { ...spot, functionName: around };
  return {
    by: 'object-url',
    culprit: locate(new ScriptText(source), named, see.target.cwd),
    evidenceId: reading.id,
  };
}

/** The function of the application under which WebAssembly runs most. */
export async function* wasmCaller(see: OperatorView): Step<NativePlace | undefined> {
  const reading = yield* see.ask('cpu-profile', PROFILE, PROFILE_STAYS_MS);
  if (!isUsable(reading)) return undefined;
  const tree = callTree(reading.data.profile);
  const user = heaviestCaller(tree);
  if (!user) return undefined;
  const { functionName, scriptId, url, line, column } = frameAt(tree, user.node);
  const frame = { functionName, scriptId, url, lineNumber: line, columnNumber: column };
  const { package: name, functionName: callee } = frameAt(tree, user.beneath);
  const culprit = yield* placeOfSite(see, { frame, ...(callee && { callee }) });
  return {
    by: 'wasm',
    culprit: { ...culprit, ...(name !== undefined && { package: name }) },
    evidenceId: reading.id,
  };
}

interface Caller {
  readonly node: number;
  /** What it calls on the way to WebAssembly. */
  readonly beneath: number;
}

function heaviestCaller(tree: CallTree): Caller | undefined {
  const { selfUs, allUs } = weigh(tree);
  const sums = new Map<number, Caller & { us: number }>();
  let wasmUs = 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    const us = selfUs[node] ?? 0;
    if (us === 0 || frameAt(tree, node).kind !== 'wasm') continue;
    wasmUs += us;
    const user = lastUserAbove(tree, node);
    if (user < 0) continue;
    const key = tree.frameOf[user] ?? -1;
    const sum = sums.get(key) ?? { node: user, beneath: beneathOn(tree, node, user), us: 0 };
    sums.set(key, { ...sum, us: sum.us + us });
  }
  if (wasmUs < WASM_SHARE * allUs) return undefined;
  return [...sums.values()].sort((a, b) => b.us - a.us)[0];
}

function beneathOn(tree: CallTree, node: number, above: number): number {
  let at = node;
  while ((tree.parent[at] ?? -1) !== above && (tree.parent[at] ?? -1) >= 0) at = tree.parent[at] ?? -1;
  return at;
}
