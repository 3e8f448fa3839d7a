import type { CreatorFrame } from '../model/evidence/handles.js';
import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callAt, callSites } from '../source/calls.js';
import { type Fresh, freshlyMadeBy, receiverMadeAt } from '../source/fresh.js';
import { packageThatMade } from '../source/made-by.js';
import { enclosingFunction } from '../source/names.js';
import { isUserCode } from '../source/url.js';
import { makingOf } from '../source/uses.js';
import { type Files, MOST_SCRIPTS } from './growth-home.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import { locate, sourceOf } from './place.js';

/** A client or pool that is made for each piece of work, which the opening call only uses: who makes it is to be changed. */
export async function* madeAnew(see: OperatorView, frames: readonly CreatorFrame[]): Step<CodeLocation | undefined> {
  return (yield* asField(see, frames)) ?? (yield* asReceiver(see, frames[0]));
}

/** `this.pool.request(…)` of a class that is made for each piece of work, with a pool of its own. */
async function* asField(see: OperatorView, [own, ...callers]: readonly CreatorFrame[]): Step<CodeLocation | undefined> {
  const script = own && (yield* sourceOf(see, own.scriptId));
  const field = script && callAt(script.text, own.line, own.column)?.callee.split('.').at(-2);
  const making = field === undefined ? undefined : makingOf(script?.text ?? '', field);
  if (!script || !making || field === undefined || packageThatMade(script.text, field) === undefined) return undefined;
  const maker = enclosingFunction(script.text, making.line0, making.column0)?.name;
  const className = /^new ([\w$]+)$/.exec(maker ?? '')?.[1];
  for (const { scriptId } of className === undefined ? [] : callers) {
    const text = (yield* sourceOf(see, scriptId))?.text ?? '';
    const news = callSites(text).filter(({ kind, method }) => kind === 'new' && method === className);
    if (news.length === 0 || news.some(({ within }) => within < 0)) continue;
    const spot = { ...own, line: making.line0, column: making.column0, ...(maker && { functionName: maker }) };
    return locate(script, spot, see.target.cwd);
  }
  return undefined;
}

/** `connect().send(…)`, and `connect` of the same or another file makes a client for each call. */
async function* asReceiver(see: OperatorView, own: CreatorFrame | undefined): Step<CodeLocation | undefined> {
  const script = own && (yield* sourceOf(see, own.scriptId));
  const call = script && callAt(script.text, own.line, own.column);
  const made = call && receiverMadeAt(script.text, call);
  if (!script || !made) return undefined;
  if ('package' in made) return yield* freshPlace(see, own, made);
  const here = freshlyMadeBy(script.text, made.maker);
  if (here) return yield* freshPlace(see, own, here);
  const found: (readonly [Files[number], Fresh])[] = [];
  const files = yield* filesOf(see);
  const ids = files.map(one => one.scriptId);
  for (const file of files) {
    const text = (yield* sourceOf(see, file.scriptId, ids))?.text;
    const fresh = text === undefined ? undefined : freshlyMadeBy(text, made.maker);
    if (fresh) found.push([file, fresh]);
  }
  const [only, ...others] = found;
  return only && others.length === 0 ? yield* freshPlace(see, ...only) : undefined;
}

async function* filesOf(see: OperatorView): Step<Files> {
  const growth = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  const files = isUsable(growth) ? (growth.data.applicationScripts ?? []) : [];
  return files.filter(({ url }) => isUserCode(url)).slice(0, MOST_SCRIPTS);
}

async function* freshPlace(
  see: OperatorView,
  { scriptId, url }: Files[number],
  { line0, column0, function: functionName, package: name }: Fresh,
): Step<CodeLocation | undefined> {
  const script = yield* sourceOf(see, scriptId);
  const spot = { scriptId, url, line: line0, column: column0, functionName };
  return script && { ...locate(script, spot, see.target.cwd), package: name };
}
