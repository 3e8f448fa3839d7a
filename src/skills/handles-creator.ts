import type { Creator, CreatorFrame } from '../model/evidence/handles.js';
import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { packageOf } from '../source/url.js';
import { ownFrames } from './bundle.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import type { Suspect } from './handles-growth.js';
import { isRearming } from './handles-rearmed.js';
import { madeAnew } from './made-anew.js';
import { importersOf } from './package-users.js';
import { place } from './place.js';
import { placeOfSite, SAMPLING, SAMPLING_STAYS_MS, sitesOf } from './survivors.js';

/** Of the open ones whose making was seen, this share must come from one place before it is named. */
const CREATOR_SHARE = 0.4;
const MAX_VIA = 4;
/** Of what survives; below it anybody may have used the library in passing. */
const USER_SHARE = 0.1;

/** Where what stays open comes from. */
interface Made {
  readonly culprit: CodeLocation;
  readonly related?: CodeLocation;
}

/** The line that makes most of what stays open. */
export async function* creatorOf(
  see: OperatorView,
  leak: Suspect,
  creators: readonly Creator[],
): Step<Made | undefined> {
  // Accepted connections are made by Node, not by a line of the program.
  if (leak.kind === 'socket' && leak.key.startsWith('in ')) return undefined;
  const own = creators.filter(({ kind, type, frames }) => kind === leak.kind && frames.length > 0 && isOf(leak, type));
  const open = own.filter(({ alive, followed, frames }) => (alive > 0 || followed === 0) && !isRearming(leak, frames));
  const total = open.reduce((sum, creator) => sum + weight(creator), 0);
  const top = [...open].sort((a, b) => weight(b) - weight(a))[0];
  if (top === undefined || weight(top) < total * CREATOR_SHARE) return undefined;
  const users = yield* ownFrames(see, top.frames);
  const [user] = users;
  if (user === undefined) return top.frames[0] && (yield* byPackage(see, top.frames[0]));
  const via = users
    .slice(1, 1 + MAX_VIA)
    .reverse()
    .map(sayFrame);
  const name = packageOf(top.frames[top.frames.indexOf(user) - 1]?.url ?? '');
  const known = { ...(via.length > 0 && { via }), ...(name !== undefined && { package: name }) };
  const opening = { ...(yield* place(see, user)), ...known };
  const maker = leak.kind === 'socket' || leak.kind === 'file' ? yield* madeAnew(see, users) : undefined;
  return maker ? { culprit: { ...opening, ...maker }, related: opening } : { culprit: opening };
}

async function* byPackage(see: OperatorView, frame: CreatorFrame): Step<Made> {
  const opening = yield* place(see, frame);
  const user = opening.package === undefined ? undefined : yield* userOf(see, opening.package);
  return user ? { culprit: user, related: opening } : { culprit: opening };
}

/** A library that opens in a later tick has no line of the application on its stack: who allocates through it is its user. */
async function* userOf(see: OperatorView, name: string): Step<CodeLocation | undefined> {
  const sampling = yield* see.ask('heap-sampling', SAMPLING, SAMPLING_STAYS_MS);
  const sites = isUsable(sampling) ? yield* sitesOf(see, sampling.data) : [];
  const site = sites.find(({ through, share }) => share >= USER_SHARE && through.includes(name));
  if (site === undefined) return yield* importerOf(see, name);
  return { ...(yield* placeOfSite(see, site)), package: name };
}

/** Where small things hardly show among the survivors, and one file alone of the application uses the package. */
async function* importerOf(see: OperatorView, name: string): Step<CodeLocation | undefined> {
  const growth = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  const files = isUsable(growth) ? (growth.data.applicationScripts ?? []) : [];
  const [user, ...others] = yield* importersOf(see, { package: name, below: [] }, files);
  return user && others.length === 0 ? { ...user.place, package: name } : undefined;
}

/** Some kinds hold several async types: watch and watchFile, TCP and UDP, ports and what else Node makes. */
function isOf({ kind, key, other }: Suspect, type: string): boolean {
  if (kind === 'watcher') return (other?.type === 'StatWatcher') === (type === 'STATWATCHER');
  if (kind === 'socket') return key.startsWith('udp') === (type === 'UDPWRAP');
  return kind !== 'other' || type === 'MESSAGEPORT';
}

const weight = ({ alive, followed, count }: Creator): number => (followed > 0 ? alive : count);

const sayFrame = ({ functionName, url, line }: CreatorFrame): string =>
  `${functionName || '(anonymous)'} (${url.replace(/^.*[\\/]/, '')}:${line + 1})`;
