import { isUserCode, packageOf } from '../../base/script-url.js';
import type { Container, GrowingContainer, PathStep } from '../../model/evidence/collection-growth.js';

type VariableStep = Extract<PathStep, { kind: 'variable' }>;

/** Who holds a container, as a person would say it. */
export interface Holder {
  /** The variable nearest to the container; undefined when it hangs from a global or an export. */
  readonly variable?: VariableStep;
  /** Property names from the variable (or the root) down to the container: `_events`, `tick`. */
  readonly below: readonly string[];
  /** `bus._events.tick`, `cache.get(*).items`. */
  readonly text: string;
  /** The package the container lies in, by the nearest variable's file or the owner's class. */
  readonly package?: string;
  /** The nearest variable of the application, when the container's own is a package's. */
  readonly through?: VariableStep;
  /** File of the module whose exports lead there, when no variable does. */
  readonly moduleFile?: string;
}

export function holderOf({ path, ownerCode }: Pick<Container, 'path' | 'ownerCode'>): Holder {
  const at = path.findLastIndex(step => step.kind === 'variable');
  const store = path.findLastIndex(isStoreStep);
  // Whoever's timer or socket happens to carry a store on is not what holds it.
  if (at >= 0 && at < store)
    return holderOf({
      path: [{ kind: 'root', name: 'AsyncLocalStorage store' }, ...path.slice(afterStore(path, store))],
      ...(ownerCode && { ownerCode }),
    });
  const variable = path[at] as VariableStep | undefined;
  const user = path.findLast((step): step is VariableStep => step.kind === 'variable' && isUserCode(step.seenBy.url));
  const tail = path.slice(at + 1);
  const root = path[0];
  const file = root?.kind === 'root' && root.name.startsWith('module ') ? root.name.slice('module '.length) : undefined;
  // A framework's container often holds an instance of the application's own class: that is not the framework's.
  const isOwn = ownerCode !== undefined && isUserCode(ownerCode.url);
  // An emitter that a framework holds for the application is that of whoever made its class.
  const emitter = listenedEvent(path) === undefined ? undefined : packageOf(ownerCode?.url ?? '');
  const inPackage = isOwn
    ? undefined
    : (emitter ??
      packageOf(variable?.seenBy.url ?? '') ??
      packageOf(ownerCode?.url ?? '') ??
      (variable ? undefined : packageOf(file ?? '')));
  return {
    ...(variable && { variable }),
    below: tail.flatMap(step => nameOf(step) ?? []),
    text: `${variable?.name ?? sayRoot(root)}${tail.map(sayStep).join('').replace(ASYNC_STORE, ' → AsyncLocalStorage store')}`,
    ...(inPackage !== undefined && { package: inPackage }),
    ...(user && user !== variable && { through: user }),
    ...(!variable && file !== undefined && { moduleFile: file }),
  };
}

/** What carries a store of AsyncLocalStorage on: a property before Node 24, since then a frame that maps storages to stores. */
const ASYNC_STORE = /\[Symbol\((?:kResourceStore|k?[aA]syncContextFrame)\)\](?:\.get\([^)]*\))?/;

const isStoreStep = (step: PathStep): boolean => step.kind === 'property' && ASYNC_STORE.test(`[${step.name}]`);

/** Since Node 24 a Map of stores lies between. */
const afterStore = (path: readonly PathStep[], store: number): number =>
  path[store + 1]?.kind === 'map-value' ? store + 2 : store + 1;

/** True when a container lies in a store of AsyncLocalStorage that a handle or a promise keeps. */
export const isInAsyncStore = (path: readonly PathStep[]): boolean => path.some(isStoreStep);

function sayRoot(root: PathStep | undefined): string {
  if (root?.kind !== 'root') return '';
  return root.name.startsWith('module ') ? 'exports' : root.name;
}

function nameOf(step: PathStep): string | undefined {
  return step.kind === 'property' || step.kind === 'private' || step.kind === 'getter' ? step.name : undefined;
}

const PLAIN_NAME = /^#?[A-Za-z_$][\w$]*$/;

function sayStep(step: PathStep): string {
  switch (step.kind) {
    case 'property':
    case 'getter':
    case 'private':
      return PLAIN_NAME.test(step.name) ? `.${step.name}` : step.name.startsWith('[') ? step.name : `['${step.name}']`;
    case 'index':
      return `[${step.index}]`;
    case 'element':
      return '[*]';
    case 'map-value':
      return step.key === undefined ? '.get(*)' : `.get('${step.key}')`;
    case 'map-key':
      return '.keys(*)';
    case 'set-value':
      return '.values(*)';
    default:
      return '';
  }
}

/** The whole way from the root, one short line per step that a person needs: outermost first. */
export function viaOf(path: readonly PathStep[]): string[] {
  const lines: string[] = [];
  let line = sayRoot(path[0]);
  for (const step of path.slice(1)) {
    if (step.kind !== 'variable') line += sayStep(step);
    else {
      lines.push(line);
      line = step.name;
    }
  }
  return [...lines, line].filter(text => text !== '').slice(-6);
}

/** True for what a stream was given to write and has not passed on yet. */
export function isWriteBuffer(path: readonly PathStep[]): boolean {
  const state = path.findLastIndex(step => step.kind === 'property' && step.name === '_writableState');
  return state >= 0 && state >= path.length - 2;
}

/** True for Node's own list of the AbortSignals that nothing but their listeners keeps: of `any()` and `timeout()`. */
export const isWaitingSignals = (path: readonly PathStep[]): boolean =>
  path[0]?.kind === 'root' && path.length === 1 && path[0].name.endsWith('waiting AbortSignals');

/** When no single event is meant. */
export const MANY_EVENTS = '(many events)';

/** The event whose listeners a container holds: an EventEmitter's array or an EventTarget's list. */
export function listenedEvent(path: readonly PathStep[]): string | undefined {
  if (isWaitingSignals(path)) return 'abort';
  const emitter = path.findLastIndex(step => step.kind === 'property' && step.name === '_events');
  if (emitter >= 0 && emitter >= path.length - 2) {
    const event = path[emitter + 1];
    return event?.kind === 'property' ? event.name : MANY_EVENTS;
  }
  const target = path.findLastIndex(step => step.kind === 'property' && step.name.includes('kEvents'));
  // What a listener's own variables hold is no list of listeners.
  if (target < 0 || path.slice(target).some(({ kind }) => kind === 'variable')) return undefined;
  const event = path[target + 1];
  return event?.kind === 'map-value' && event.key !== undefined ? event.key : MANY_EVENTS;
}

/** What programs and packages call their own lists of callbacks: `currentListeners`, `subscribers`, `_observers`. */
const LISTENERS = /(?:listener|subscriber|subscription|observer|handler|watcher)s?$/i;

/** True for a list of functions that is no emitter's, but is called one: itself, or what keeps one for each event. */
export const isOwnListeners = ({ path, entry }: Pick<GrowingContainer, 'path' | 'entry'>): boolean =>
  entry.type === 'function' && path.slice(-2).some(step => 'name' in step && LISTENERS.test(step.name));
